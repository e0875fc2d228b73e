"""How what is seen on a body goes beyond its bones: clothes that slide on them, a trunk that turns.

Bones say where a part is as a whole. The picture of each part in the first frame that shows the person is found again
in every later one, as far as their polynomials reach; a head has a surface of its own.

Legend: T video frames, P surfaces (`dreamactor_core.surfaces`), H W rows and columns, N pixels, K terms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.surfaces import BODY_SURFACES, SURFACE_TERMS

from dreamactor_signals.flow.registration import Patch, Picture, blurred
from dreamactor_signals.flow.small import at_size, nearest_parts, scaled, small_frames, small_size
from dreamactor_signals.smoothing import smooth
from dreamactor_signals.warp.flat import Flat
from dreamactor_signals.warp.following import follow_parts
from dreamactor_signals.warp.placing import Placement, place_parts

# Distances from a part, in its radii, at which pixels of a later frame are compared and the first one's are its own.
_SEEN, _OWN = 1.15, 1.3
# Distances are smooth: the side of the cells in which they are taken.
_CELL_PX = 2
# Of so many pixels at least and at most.
_FEWEST, _MOST = 100, 1500
# What was found and is lost again fades, frame by frame.
_FADES = 0.8
_SMOOTH_S = 0.03


def with_surfaces(track: MotionTrack, frames: Iterable[np.ndarray]) -> MotionTrack:
    """The track with its surfaces' motion, against the first frame that shows the person.

    Args:
        track: T frames, steady.
        frames: (H, W, 3) uint8, those that were tracked, in their order; one is kept.
    """
    scale, size = small_size(track.frame_size)
    motion = np.zeros((len(track), len(BODY_SURFACES), 2, SURFACE_TERMS))
    first, seen = None, 0
    for seen, small_HWC in enumerate(small_frames(frames, size)):
        if first is not None:
            motion[seen] = first.find(small_HWC, track, seen, motion[seen - 1])
        elif start := place_parts(track, seen):
            first = _First.seen(small_HWC, start, scale)
    # A video may end before its track does.
    motion[seen:] = motion[seen]
    steady = smooth(motion, np.ones(len(track)), _SMOOTH_S * float(track.fps))
    return replace(track, surface_motion=steady)


@dataclass(frozen=True, eq=False)
class _First:
    """The first frame that shows the person.

    Attributes:
        start: all parts, in pixels of the track.
        scale: of the small frame.
        patches: of each flat part.
    """

    start: Mapping[str, Placement]
    scale: float
    patches: Mapping[str, Patch]

    @classmethod
    def seen(cls, small_HWC: np.ndarray, start: Mapping[str, Placement], scale: float) -> "_First":
        parts, picture = scaled(start, scale), Picture.of(small_HWC)
        is_own = _owned(parts, small_HWC.shape, _OWN)
        patches = {name: Patch(part, picture, is_own[name]) for name, part in parts.items() if isinstance(part, Flat)}
        return cls(start, scale, patches)

    def find(self, small_HWC: np.ndarray, track: MotionTrack, frame: int, before: np.ndarray) -> np.ndarray:
        """(P, 2, K) of a later frame.

        Args:
            before: (P, 2, K) of the frame before.
        """
        parts = scaled(follow_parts(self.start, track, frame), self.scale)
        is_own, levels = _owned(parts, small_HWC.shape, _SEEN), blurred(small_HWC)
        motion = before * _FADES
        for name, patch in self.patches.items():
            now, number = parts.get(name), BODY_SURFACES.index(name)
            if isinstance(now, Flat) and (rows_columns := _some(is_own[name])) is not None:
                seen_N2 = now.own(rows_columns[::-1].T + 0.5)
                colours_LNC = [level_HWC[tuple(rows_columns)] for level_HWC in levels]
                found = patch.find(seen_N2, colours_LNC, before[number])
                motion[number] = motion[number] if found is None else found
        return motion


def _owned(parts: Mapping[str, Placement], shape: tuple[int, ...], reach: float) -> dict[str, np.ndarray]:
    """(H, W) bool of each part: pixels that are nearest to it."""
    size = shape[1], shape[0]
    number_HW, distance_HW = nearest_parts(parts, size, _CELL_PX)
    is_near_HW = distance_HW < reach
    return {name: at_size(is_near_HW & (number_HW == number), size, _CELL_PX) for number, name in enumerate(parts)}


def _some(is_own_HW: np.ndarray) -> np.ndarray | None:
    """(2, N) rows and columns, evenly spread; None where there are too few."""
    rows_columns = np.stack(np.nonzero(is_own_HW))
    count = rows_columns.shape[1]
    return None if count < _FEWEST else rows_columns[:, :: -(-count // _MOST)]
