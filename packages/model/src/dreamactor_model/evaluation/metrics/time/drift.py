"""Colours that wander over a video, and jumps where segments of the sampler join: what users complain of most.

Legend: T video frames, H W rows and columns, C channels.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

DRIFT_PROTOCOL = (
    "how far the mean colour goes from the first to the last second (or half, of a clip shorter than two), or, where a "
    "clip has a truth, how far it ends from where the truth's own change would have taken it, whichever is less; "
    "absolute values, mean over red, green and blue, in grey levels"
)
JUMP_PROTOCOL = (
    "mean absolute difference of the two frames at a join of segments, less the median of the same difference between "
    "neighbouring frames inside segments; mean over joins, in grey levels; 0 or less: the joins cannot be told"
)


def colour_drift(result_THWC: np.ndarray, truth_THWC: np.ndarray | None, fps: float) -> float | None:
    """Grey levels; None for a single frame."""
    if len(result_THWC) < 2:
        return None
    change_C = _change(result_THWC, fps)
    drift_C = np.abs(change_C)
    if truth_THWC is not None:
        # What stands still has not drifted, whatever the light did to the truth.
        drift_C = np.minimum(drift_C, np.abs(change_C - _change(truth_THWC, fps)))
    return float(drift_C.mean())


def _change(frames_THWC: np.ndarray, fps: float) -> np.ndarray:
    """(3,) mean colour of the end less that of the beginning."""
    count = min(max(round(fps), 1), len(frames_THWC) // 2)
    first, last = frames_THWC[:count], frames_THWC[-count:]
    return np.asarray(last.mean(axis=(0, 1, 2), dtype=np.float64) - first.mean(axis=(0, 1, 2), dtype=np.float64))


def join_jump(frames_THWC: np.ndarray, segment_starts: Sequence[int]) -> float | None:
    """Grey levels; None where no segment starts inside the clip, or every frame is a segment of its own.

    Args:
        frames_THWC: T frames, uint8.
        segment_starts: frames at which a segment begins.
    """
    joins = sorted({start for start in segment_starts if 0 < start < len(frames_THWC)})
    steps = np.array([np.abs(after.astype(np.int16) - before).mean() for before, after in pairwise(frames_THWC)])
    at_join = np.isin(np.arange(1, len(frames_THWC)), joins)
    if not joins or at_join.all():
        return None
    return float(steps[at_join].mean() - np.median(steps[~at_join]))
