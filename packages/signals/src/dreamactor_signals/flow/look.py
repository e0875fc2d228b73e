"""A second look at a clip whose person has been found, frame by frame.

Legend: H W rows and columns.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.flow.head import head_step, steady_head
from dreamactor_signals.flow.limbs import BONES, limb_steps, steady_limbs
from dreamactor_signals.flow.points import follow
from dreamactor_signals.flow.scenery import scenery_motion
from dreamactor_signals.flow.similarity import similarity
from dreamactor_signals.flow.small import at_size, nearest_parts, scaled, small_frames, small_size
from dreamactor_signals.flow.trunk import steady_trunk
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.parts import HEAD, TORSO
from dreamactor_signals.warp.placing import Placement, place_parts

# The side of a mask's cells.
_CELL_PX = 4
# Distances from a person's parts, in their radii: of what is surely trunk or limb, and of what is scenery.
_ON_TRUNK, _ON_LIMB, _BESIDE = 0.6, 0.9, 1.8
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
        limbs: as of `limb_steps`.
    """

    trunk: np.ndarray | None
    scenery: np.ndarray | None
    head: np.ndarray | None
    limbs: list[np.ndarray | None]


def look_again(track: MotionTrack, frames: Iterable[np.ndarray]) -> MotionTrack:
    """The track with steady trunk, head and limbs and with the scenery's motion.

    Args:
        track: T frames.
        frames: (H, W, 3) uint8, those that were tracked, in their order; pixels are not kept.
    """
    steps = list(_steps(track, frames))
    motion = scenery_motion(track, [step.scenery for step in steps])
    steady = steady_trunk(track, [step.trunk for step in steps])
    steady = steady_head(steady, [step.head for step in steps])
    return replace(steady_limbs(steady, [step.limbs for step in steps]), scenery_motion=motion)


def _steps(track: MotionTrack, frames: Iterable[np.ndarray]) -> Iterator[_Step]:
    """Of all frames."""
    scale, size = small_size(track.frame_size)
    greys = (cv2.cvtColor(small_HWC, cv2.COLOR_RGB2GRAY) for small_HWC in small_frames(frames, size))
    looks = ((grey_HW, scaled(place_parts(track, frame), scale)) for frame, grey_HW in enumerate(greys))
    for (before_HW, here), (after_HW, there) in pairwise(looks):
        masks = _masks(here, size)
        on_trunk = follow(before_HW, after_HW, masks.trunk_HW, _TRUNK_WINDOW_PX)
        beside = follow(before_HW, after_HW, masks.scenery_HW, _SCENERY_WINDOW_PX)
        told = len(on_trunk[0]) >= _FEWEST_ON_TRUNK
        radius_px = min(size) / 2
        head_K = _of_head(before_HW, after_HW, here.get(HEAD), there.get(HEAD))
        limbs = limb_steps(before_HW, after_HW, masks.limbs_HW, here, there)
        yield _Step(
            trunk=_in_track(similarity(*on_trunk, radius_px, _TRUNK_ALIKE_PX) if told else None, scale),
            scenery=_in_track(similarity(*beside, radius_px), scale),
            head=None if head_K is None else np.concatenate([head_K[:2] / scale, head_K[2:]]),
            limbs=[None if shifts_px is None else shifts_px / scale for shifts_px in limbs],
        )


def _in_track(step: np.ndarray | None, scale: float) -> np.ndarray | None:
    """A step of the small frame in pixels of the track."""
    return None if step is None else np.column_stack([step[:, :2], step[:, 2] / scale])


def _of_head(
    before_HW: np.ndarray, after_HW: np.ndarray, here: Placement | None, there: Placement | None
) -> np.ndarray | None:
    if not isinstance(here, Head) or not isinstance(there, Head):
        return None
    return head_step(before_HW, after_HW, here, there)


@dataclass(frozen=True, eq=False)
class _Masks:
    """(H, W) bool each, where points are looked for."""

    trunk_HW: np.ndarray
    limbs_HW: np.ndarray
    scenery_HW: np.ndarray


def _masks(parts: Mapping[str, Placement], size: tuple[int, int]) -> _Masks:
    if not parts:
        nowhere_HW, everywhere_HW = np.zeros(size[::-1], bool), np.ones(size[::-1], bool)
        return _Masks(nowhere_HW, nowhere_HW, everywhere_HW)
    number_HW, nearest_HW = nearest_parts(parts, size, _CELL_PX)
    is_torso_HW, is_limb_HW = (
        np.isin(number_HW, [number for number, name in enumerate(parts) if name in names]) for names in ({TORSO}, BONES)
    )
    return _Masks(
        trunk_HW=at_size(is_torso_HW & (nearest_HW < _ON_TRUNK), size, _CELL_PX),
        limbs_HW=at_size(is_limb_HW & (nearest_HW < _ON_LIMB), size, _CELL_PX),
        scenery_HW=at_size(nearest_HW > _BESIDE, size, _CELL_PX),
    )
