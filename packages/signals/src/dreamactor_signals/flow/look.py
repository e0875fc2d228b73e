"""A second look at a clip whose person has been found, frame by frame.

Legend: P parts, H W rows and columns.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.flow.points import follow
from dreamactor_signals.flow.scenery import scenery_motion
from dreamactor_signals.flow.similarity import similarity
from dreamactor_signals.flow.trunk import steady_trunk
from dreamactor_signals.warp.parts import TORSO
from dreamactor_signals.warp.placing import place_parts

# The longer side of what is looked at, and of a mask's cells.
_SIDE_PX, _CELL_PX = 384, 4
# Distances from a person's parts, in their radii: of what is surely trunk, and of what is scenery.
_ON_TRUNK, _BESIDE = 0.6, 1.8
# Scenery is often out of focus: soft.
_TRUNK_WINDOW_PX, _SCENERY_WINDOW_PX = 15, 31
# Fewer points tell less of a trunk than a tracker does.
_FEWEST_ON_TRUNK = 32
# A trunk that turns is not flat, and its clothes do not move as one: what most of them do is nearer than a tracker.
_TRUNK_ALIKE_PX = 1.0

Step = tuple[np.ndarray | None, np.ndarray | None]
"""From a frame to the next: similarities (2, 3) of trunk and scenery."""


def look_again(track: MotionTrack, frames: Iterable[np.ndarray]) -> MotionTrack:
    """The track with a steady trunk and with the scenery's motion.

    Args:
        track: T frames.
        frames: (H, W, 3) uint8, those that were tracked, in their order; pixels are not kept.
    """
    steps = list(_steps(track, frames))
    trunk, scenery = [step[0] for step in steps], [step[1] for step in steps]
    return replace(track, joints_cam_m=steady_trunk(track, trunk), scenery_motion=scenery_motion(track, scenery))


def _steps(track: MotionTrack, frames: Iterable[np.ndarray]) -> Iterator[Step]:
    """Of all frames, in pixels of the track."""
    width, height = track.frame_size
    scale = min(1.0, _SIDE_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    for frame, (before_HW, after_HW) in enumerate(pairwise(_small(frames, size))):
        trunk_HW, scenery_HW = (_at_size(mask_HW, size) for mask_HW in _masks(track, frame, size, scale))
        on_trunk = follow(before_HW, after_HW, trunk_HW, _TRUNK_WINDOW_PX)
        beside = follow(before_HW, after_HW, scenery_HW, _SCENERY_WINDOW_PX)
        told = len(on_trunk[0]) >= _FEWEST_ON_TRUNK
        radius_px = min(size) / 2
        yield (
            _in_track(similarity(*on_trunk, radius_px, _TRUNK_ALIKE_PX) if told else None, scale),
            _in_track(similarity(*beside, radius_px), scale),
        )


def _small(frames: Iterable[np.ndarray], size: tuple[int, int]) -> Iterator[np.ndarray]:
    for frame in frames:
        yield cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


def _in_track(step: np.ndarray | None, scale: float) -> np.ndarray | None:
    """A step of the small frame in pixels of the track."""
    return None if step is None else np.column_stack([step[:, :2], step[:, 2] / scale])


def _masks(track: MotionTrack, frame: int, size: tuple[int, int], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Trunk and scenery, in cells."""
    parts = place_parts(track, frame)
    rows, columns = np.mgrid[: -(-size[1] // _CELL_PX), : -(-size[0] // _CELL_PX)]
    if not parts:
        return np.zeros(rows.shape, bool), np.ones(rows.shape, bool)
    centers_HW2 = (np.stack([columns, rows], axis=-1) + 0.5) * _CELL_PX / scale
    distances = {name: part.distance(centers_HW2) for name, part in parts.items()}
    nearest_HW = np.min(list(distances.values()), axis=0)
    torso_HW = distances.get(TORSO, np.full(rows.shape, np.inf))
    return (torso_HW == nearest_HW) & (torso_HW < _ON_TRUNK), nearest_HW > _BESIDE


def _at_size(mask_HW: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.kron(mask_HW, np.ones((_CELL_PX, _CELL_PX), bool))[: size[1], : size[0]]
