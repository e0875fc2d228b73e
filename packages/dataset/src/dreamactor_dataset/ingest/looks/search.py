"""All pairs of clips that are the same clip, among hundreds of thousands.

Every pair of about equal length is compared by its hashes (about 100 million pairs a second and core), those that pass
by their coarse movement, and the few that pass that are laid over each other.

Legend: N clips, K pictures of each, M numbers of its movement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit, prange

from dreamactor_dataset.ingest.looks.likeness import likeness
from dreamactor_dataset.ingest.looks.pictures import Digest

# Cuts are found a frame or two apart in a copy.
_LENGTH_TOLERANCE_S, _LENGTH_TOLERANCE = 0.12, 0.02
# Correlation of coarse movements below which two clips are not worth laying over each other.
_MOVEMENT_LIKENESS = 0.3
# Later clips one may be near to. Copies of copies are near to each other too, so that more need not be known of one.
_ROOM = 64


@dataclass(frozen=True)
class Candidate:
    """A clip to be compared with others.

    Attributes:
        digest: what is compared first.
        duration_s: copies are about equally long.
        video: clips of one source video are never copies of each other.
        look: reads its (K, S, S) pictures.
    """

    digest: Digest
    duration_s: float
    video: str
    look: Callable[[], np.ndarray]


def find_lookalikes(clips: Sequence[Candidate], *, bits: int, least_likeness: float) -> list[tuple[int, int]]:
    """Pairs of indices of clips that show the same.

    Args:
        bits: how many of 64 may differ on average between their hashes.
        least_likeness: see `likeness`.
    """
    if len(clips) < 2:
        return []
    order = np.argsort([clip.duration_s for clip in clips], kind="stable")
    videos = {video: number for number, video in enumerate(sorted({clip.video for clip in clips}))}
    near = _near_pairs(
        np.stack([clips[index].digest.hashes for index in order]),
        np.stack([clips[index].digest.movement.ravel() for index in order]),
        np.array([clips[index].duration_s for index in order]),
        np.array([videos[clips[index].video] for index in order]),
        bits * len(clips[0].digest.hashes),
    )
    pairs = [(int(order[first]), int(order[second])) for first, row in enumerate(near) for second in row[row >= 0]]
    return sorted(
        (min(pair), max(pair)) for pair in pairs if likeness(*(clips[index].look() for index in pair)) >= least_likeness
    )


@njit(cache=True)
def _bits_set(word: np.uint64) -> int:  # pragma: no cover - compiled
    count = 0
    while word:
        word &= word - np.uint64(1)
        count += 1
    return count


@njit(cache=True)
def _move_alike(a: np.ndarray, b: np.ndarray) -> bool:  # pragma: no cover - compiled
    shared, a_length, b_length = 0.0, 0.0, 0.0
    for index in range(len(a)):
        shared += a[index] * b[index]
        a_length += a[index] * a[index]
        b_length += b[index] * b[index]
    # Clips in which nothing moves are alike in that.
    return shared >= _MOVEMENT_LIKENESS or (a_length == 0 and b_length == 0)


@njit(cache=True, parallel=True)
def _near_pairs(
    hashes: np.ndarray, movements: np.ndarray, durations_s: np.ndarray, videos: np.ndarray, most_bits: int
) -> np.ndarray:  # pragma: no cover - compiled
    """(N, room) of each clip the later ones that look and move alike, -1 where there are no more.

    Args:
        hashes: (N, K) uint64; movements: (N, M) of unit length, or zero; durations_s: (N,) ascending; videos: (N,).
    """
    count, pictures = hashes.shape
    found = np.full((count, _ROOM), -1, np.int32)
    for first in prange(count):
        longest_s = durations_s[first] * (1 + _LENGTH_TOLERANCE) + _LENGTH_TOLERANCE_S
        filled = 0
        for second in range(first + 1, count):
            if durations_s[second] > longest_s or filled == _ROOM:
                break
            if videos[first] == videos[second]:
                continue
            differing = 0
            for picture in range(pictures):
                differing += _bits_set(hashes[first, picture] ^ hashes[second, picture])
                if differing > most_bits:
                    break
            if differing <= most_bits and _move_alike(movements[first], movements[second]):
                found[first, filled] = second
                filled += 1
    return found
