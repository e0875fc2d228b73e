"""The look of a clip: a few small grey pictures, and what can be compared quickly of them.

Legend: K pictures of a clip, S their side in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

PICTURES = 8
SIDE_PX = 32
# Of the low frequencies 8 x 8 make 64 bits.
_BITS_SIDE = 8
# Movement is compared coarsely at first: what a small crop displaces stays in its cell.
_CELLS = 8
# Root mean square of grey levels over time below which nothing moves.
STILL = 1.5


def small_picture(frame: np.ndarray) -> np.ndarray:
    """(S, S) uint8 grey of a (H, W, 3) uint8 RGB frame, whatever its aspect."""
    small = cv2.resize(frame, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def look_of(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """(K, S, S) uint8, evenly chosen from the small pictures of all frames of a clip."""
    places = np.linspace(0, len(pictures) - 1, PICTURES).round().astype(int)
    return np.stack([pictures[place] for place in places])


@dataclass(frozen=True, eq=False)
class Digest:
    """What is compared of every pair of clips.

    Attributes:
        hashes: (K,) uint64, 64 signs of low frequencies of each picture.
        movement: (K, cells, cells) float32 change against the clip's mean picture, of unit length; zero in still clips.
    """

    hashes: np.ndarray
    movement: np.ndarray


def digest(look: np.ndarray) -> Digest:
    """Of a (K, S, S) uint8 look."""
    return Digest(np.array([_hash(picture) for picture in look], np.uint64), _movement(look))


def _hash(picture: np.ndarray) -> int:
    """Signs of the lowest frequencies about their median, the mean brightness left out."""
    low = cv2.dct(picture.astype(np.float32))[: _BITS_SIDE + 1, : _BITS_SIDE + 1].ravel()[1 : _BITS_SIDE**2 + 1]
    bits = np.packbits(low > np.median(low))
    return int.from_bytes(bits.tobytes())


def changes(pictures: np.ndarray) -> np.ndarray:
    """(K, P) float32 change of pixels against their mean over time, without what changes everywhere, such as fades."""
    pixels = pictures.astype(np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    pixels -= pixels.mean(axis=0)
    return pixels


def _movement(look: np.ndarray) -> np.ndarray:
    residual = changes(look.reshape(len(look), -1)).reshape(look.shape)
    cell = SIDE_PX // _CELLS
    coarse = residual.reshape(len(look), _CELLS, cell, _CELLS, cell).mean(axis=(2, 4))
    length = float(np.linalg.norm(coarse))
    if float(np.sqrt((residual**2).mean())) < STILL or length == 0:
        return np.zeros_like(coarse)
    return coarse / length
