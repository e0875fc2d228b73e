"""Steady square windows around face boxes that jitter. The pixels inside are never blended over time: blinks stay.

Legend: T video frames.
"""

from itertools import pairwise

import numpy as np

from dreamactor_signals.litert.regions import Region
from dreamactor_signals.smoothing import smooth

# The box runs along the landmarks; cheeks, chin and forehead need room when they move.
_MARGIN = 1.3
# The window may follow the head but not the jaw: its place is steadied a little, its size much more.
_PLACE_SIGMA_FRAMES, _SIZE_SIGMA_FRAMES = 2.0, 8.0
# A box that moves by more than this share of its side, or changes its side by more than this factor, between two
# sightings is another shot or another face: windows before and after it do not know of each other.
_JUMP, _GROWTH = 0.6, 1.6


def face_windows(boxes_px: np.ndarray) -> list[Region | None]:
    """The steady square windows of (T, 4) boxes x0 y0 x1 y1; None where the box is empty."""
    boxes = np.asarray(boxes_px, dtype=np.float64)
    centers, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    windows: list[Region | None] = [None] * len(boxes)
    for run in _runs(boxes):
        first, span = run[0], slice(run[0], run[-1] + 1)
        # Frames between two sightings count as time that passes: a gap weakens what lies beyond it.
        weights = np.zeros(run[-1] + 1 - first)
        weights[run - first] = 1
        place = smooth(centers[span], weights, _PLACE_SIGMA_FRAMES)
        side = smooth(sides[span], weights, _SIZE_SIGMA_FRAMES) * _MARGIN
        for frame in run:
            x_px, y_px = place[frame - first]
            windows[frame] = Region((float(x_px), float(y_px)), float(side[frame - first]))
    return windows


def _runs(boxes_px: np.ndarray) -> list[np.ndarray]:
    """Frames with a face, cut where the face jumps."""
    seen = np.flatnonzero((boxes_px[:, 2:] > boxes_px[:, :2]).all(axis=1))
    if len(seen) == 0:
        return []
    cuts = [i + 1 for i, (a, b) in enumerate(pairwise(seen)) if _jumps(boxes_px[a], boxes_px[b])]
    return np.split(seen, cuts)


def _jumps(before_px: np.ndarray, after_px: np.ndarray) -> bool:
    sides = [float((box[2:] - box[:2]).max()) for box in (before_px, after_px)]
    moved = float(np.linalg.norm((before_px[:2] + before_px[2:] - after_px[:2] - after_px[2:]) / 2))
    return moved > _JUMP * max(sides) or max(sides) > _GROWTH * min(sides)
