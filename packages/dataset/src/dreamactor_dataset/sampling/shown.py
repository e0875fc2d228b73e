"""How often each clip is shown in an epoch.

Without shares to meet, every clip once. With them a clip is shown as often as its weight says: a weight of 2.3 means
two or three times. Which of both is decided by a comb of evenly spaced teeth that is laid over the clips and moved on
from epoch to epoch: shares are met within every epoch, not only on average, and no clip is left out for long.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_dataset.clip_table import ClipTable

# Steps of the golden section fall most evenly: no clip waits long for its turn, whatever its weight is.
_STEP = (5**0.5 - 1) / 2


@dataclass(frozen=True, eq=False)
class Shown:
    """Which clips are shown how often.

    Attributes:
        order: (N,) clips, those of a bucket and of a stratum together.
        members: (B,) clips of each bucket.
        counts: (B,) samples of each bucket in an epoch, the same in every epoch.
        weights: (S,) of each stratum, or None where every clip is shown once.
    """

    order: np.ndarray
    members: np.ndarray
    counts: np.ndarray
    weights: np.ndarray | None

    @classmethod
    def of(cls, clips: ClipTable, random: np.random.Generator) -> "Shown":
        """Count the samples of each bucket."""
        shuffled = random.permutation(len(clips)).astype(np.int32)
        order = shuffled[np.lexsort((clips.strata[shuffled], clips.buckets[shuffled]))]
        members = np.bincount(clips.buckets, minlength=len(clips.bucket_sizes))
        if np.ptp(clips.stratum_weights) < 1e-9:
            return cls(order, members, members, None)
        expected = np.bincount(clips.buckets, clips.stratum_weights[clips.strata], len(clips.bucket_sizes))
        # A bucket of few and light clips still has its turn.
        counts = np.where(members > 0, np.maximum(1, np.round(expected)), 0).astype(np.int64)
        return cls(order, members, counts, clips.stratum_weights)

    def clips(self, table: ClipTable, epoch: int, offset: float) -> np.ndarray:
        """(M,) the clips of an epoch, bucket after bucket, as often as they are shown.

        Args:
            offset: of the comb in epoch 0, from 0 to 1.
        """
        if self.weights is None:
            return self.order
        phase = (offset + epoch * _STEP) % 1
        ends = np.cumsum(self.members)
        parts = [
            self._comb(table, self.order[end - size : end], int(count), phase)
            for end, size, count in zip(ends, self.members, self.counts, strict=True)
            if count
        ]
        return np.concatenate(parts)

    def _comb(self, table: ClipTable, clips: np.ndarray, count: int, phase: float) -> np.ndarray:
        assert self.weights is not None
        reach = np.cumsum(self.weights[table.strata[clips]])
        teeth = (np.arange(count) + phase) * (reach[-1] / count)
        hit = np.searchsorted(reach, teeth, side="right")
        return clips[np.minimum(hit, len(clips) - 1)]
