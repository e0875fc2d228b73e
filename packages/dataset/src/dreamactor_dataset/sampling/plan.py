"""The order of an epoch: which clips make a batch, how long their windows are, and which batch follows which.

Each shown clip is given a random window length; clips of one frame size are sorted by it and cut into batches, all of
which share the shortest length of their members, so that a batch is one rectangular tensor. Batches of like cost are
dealt out in a row, so that ranks that work side by side finish together (design 5, Batching).
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.settings.dataset import SamplingDataSettings

from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.sampling.cost import frame_tokens, sample_cost
from dreamactor_dataset.sampling.draw import LATENT_STRIDE


@dataclass(frozen=True, eq=False)
class EpochPlan:
    """Batch b holds clips[offsets[b]:offsets[b + 1]], with frame_counts[b] and reference_counts[b] each.

    Small numbers in small types: of millions of clips this is the larger part of what a rank keeps.
    """

    clips: np.ndarray
    offsets: np.ndarray
    frame_counts: np.ndarray
    reference_counts: np.ndarray


def batches_of(counts: np.ndarray, batch_size: int) -> int:
    """Batches that samples of several frame sizes make; the last one of a size may be smaller."""
    return int(np.ceil(counts / batch_size).sum())


def make_plan(
    clips: ClipTable,
    shown: np.ndarray,
    counts: np.ndarray,
    settings: SamplingDataSettings,
    batch_size: int,
    first_index: int,
    random: np.random.Generator,
) -> EpochPlan:
    """Plan one epoch.

    Args:
        shown: (M,) the clips to show, bucket after bucket.
        counts: samples of each bucket.
        batch_size: samples of a batch.
        first_index: of the epoch in the endless list of batches; groups of like cost start at multiples of
            `settings.deal` there.
        random: of this epoch.
    """
    wanted = _window_lengths(clips, shown, settings, random)
    order = _sorted(clips.buckets[shown], wanted, random)
    starts, sizes = _batches(counts, batch_size)
    # Sorted by length within a size, so the first clip of a batch is the shortest.
    frame_counts = wanted[order[starts]]
    reference_counts = random.integers(
        settings.min_references, settings.max_references, len(starts), dtype=np.int8, endpoint=True
    )
    tokens = frame_tokens(clips.bucket_sizes)[clips.buckets[shown[order[starts]]]]
    cost = sizes * sample_cost(frame_counts, tokens, reference_counts, settings.attention_tokens)
    dealt = _deal(cost, settings.deal, first_index, random)
    offsets = np.concatenate([[0], np.cumsum(sizes[dealt], dtype=np.int32)]).astype(np.int32)
    places = np.repeat(starts[dealt] - offsets[:-1], sizes[dealt]) + np.arange(len(shown), dtype=np.int32)
    return EpochPlan(shown[order[places]], offsets, frame_counts[dealt].astype(np.int16), reference_counts[dealt])


def _window_lengths(
    clips: ClipTable, shown: np.ndarray, settings: SamplingDataSettings, random: np.random.Generator
) -> np.ndarray:
    """(M,) a random 4n+1 for each, within the settings and the clip."""
    longest = np.minimum(clips.lengths[shown], settings.max_frames)
    fewest, most = (settings.min_frames - 1) // LATENT_STRIDE, (longest - 1) // LATENT_STRIDE
    return LATENT_STRIDE * random.integers(fewest, most, endpoint=True, dtype=np.int32) + 1


def _sorted(buckets: np.ndarray, wanted: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(M,) an order by bucket, then window length, then chance."""
    key = buckets.astype(np.uint64)
    key <<= np.uint64(16)
    key |= wanted.astype(np.uint16)
    key <<= np.uint64(32)
    key |= random.integers(2**32, size=len(wanted), dtype=np.uint32)
    return key.argsort().astype(np.int32)


def _batches(counts: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where batches begin in an order sorted by bucket, and how many samples each has."""
    starts, sizes, end = [], [], 0
    for count in counts.tolist():
        starts.append(np.arange(end, end + count, batch_size, dtype=np.int32))
        end += count
        sizes.append(np.minimum(end - starts[-1], batch_size).astype(np.int32))
    return np.concatenate(starts), np.concatenate(sizes)


def _deal(cost: np.ndarray, group: int, first_index: int, random: np.random.Generator) -> np.ndarray:
    """An order of the batches: groups of like cost, the groups shuffled.

    Batches that fill no group stand at both ends of the epoch, so that all groups begin at multiples of `group`.
    """
    count = len(cost)
    head = min(-first_index % group, count)
    tail = (count - head) % group
    by_cost = np.lexsort((random.random(count, np.float32), cost)).astype(np.int32)
    # The left-over batches are taken anywhere, else the dearest would always end the epoch.
    left_over = random.choice(count, size=head + tail, replace=False)
    groups = np.delete(by_cost, left_over).reshape(-1, group)
    single = by_cost[left_over]
    return np.concatenate([single[:head], random.permutation(groups, axis=0).ravel(), single[head:]])
