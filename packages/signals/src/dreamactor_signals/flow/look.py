"""A second look at a clip whose person has been found, frame by frame.

Legend: P parts, H W rows and columns.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.flow.head import head_step, steady_head
from dreamactor_signals.flow.points import follow
from dreamactor_signals.flow.scenery import scenery_motion
from dreamactor_signals.flow.similarity import similarity
from dreamactor_signals.flow.trunk import steady_trunk
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.parts import HEAD, TORSO
from dreamactor_signals.warp.placing import Placement, place_parts

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


@dataclass(frozen=True, eq=False)
class _Step:
    """From a frame to the next, in pixels of the track; None where nobody knows.

    Attributes:
        trunk, scenery: similarities (2, 3).
        head: as of `head_step`.
    """

    trunk: np.ndarray | None
    scenery: np.ndarray | None
    head: np.ndarray | None


def look_again(track: MotionTrack, frames: Iterable[np.ndarray]) -> MotionTrack:
    """The track with a steady trunk and head and with the scenery's motion.

    Args:
        track: T frames.
        frames: (H, W, 3) uint8, those that were tracked, in their order; pixels are not kept.
    """
    steps = list(_steps(track, frames))
    joints_cam_m = steady_trunk(track, [step.trunk for step in steps])
    scenery = scenery_motion(track, [step.scenery for step in steps])
    steady = steady_head(track, [step.head for step in steps])
    return replace(steady, joints_cam_m=joints_cam_m, scenery_motion=scenery)


def _steps(track: MotionTrack, frames: Iterable[np.ndarray]) -> Iterator[_Step]:
    """Of all frames."""
    width, height = track.frame_size
    scale = min(1.0, _SIDE_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    looks = ((small_HW, place_parts(track, frame)) for frame, small_HW in enumerate(_small(frames, size)))
    for (before_HW, parts), (after_HW, next_parts) in pairwise(looks):
        trunk_HW, scenery_HW = (_at_size(mask_HW, size) for mask_HW in _masks(parts, size, scale))
        on_trunk = follow(before_HW, after_HW, trunk_HW, _TRUNK_WINDOW_PX)
        beside = follow(before_HW, after_HW, scenery_HW, _SCENERY_WINDOW_PX)
        told = len(on_trunk[0]) >= _FEWEST_ON_TRUNK
        radius_px = min(size) / 2
        here, there = (_small_head(placed, scale) for placed in (parts, next_parts))
        head_K = head_step(before_HW, after_HW, here, there) if here and there else None
        yield _Step(
            trunk=_in_track(similarity(*on_trunk, radius_px, _TRUNK_ALIKE_PX) if told else None, scale),
            scenery=_in_track(similarity(*beside, radius_px), scale),
            head=None if head_K is None else np.concatenate([head_K[:2] / scale, head_K[2:]]),
        )


def _small(frames: Iterable[np.ndarray], size: tuple[int, int]) -> Iterator[np.ndarray]:
    for frame in frames:
        yield cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


def _in_track(step: np.ndarray | None, scale: float) -> np.ndarray | None:
    """A step of the small frame in pixels of the track."""
    return None if step is None else np.column_stack([step[:, :2], step[:, 2] / scale])


def _small_head(parts: Mapping[str, Placement], scale: float) -> Head | None:
    """In pixels of the small frame."""
    head = parts.get(HEAD)
    if not isinstance(head, Head):
        return None
    return replace(head, center_px=head.center_px * scale, skull_px=head.skull_px * scale)


def _masks(parts: Mapping[str, Placement], size: tuple[int, int], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Trunk and scenery, in cells."""
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
