"""Flat parts of a person: limbs, neck and trunk, which stretch and turn in the picture.

Legend: H W rows and columns, C channels.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from dreamactor_signals.plane import between_centers
from dreamactor_signals.warp.layer import STEP_PX, Layer, Window, extent
from dreamactor_signals.warp.surface import resting, shown

# A body that the frame cuts off goes on as it is at the edge, as far as a part reaches, in radii.
_BEYOND = cv2.BORDER_REPLICATE
_REACH = 2.2


@dataclass(frozen=True, eq=False)
class Flat:
    """A flat part. Its own coordinates: s along the bone, 0 to 1; t across, -1 to 1.

    Attributes:
        origin_px, along_px, across_px: (2,) each; a point is origin + s along + t across.
        radius_px: how far the part reaches beyond its bone or rectangle.
        half_width: of the rectangle, in units of `across_px`; 0 for a limb.
        depth_m: from the camera.
        is_guess: whether the bone ends where nobody sees it, beyond the picture.
        motion_2K: of what is seen on it (`MotionTrack.surface_motion`), or None where nobody looked.
    """

    origin_px: np.ndarray
    along_px: np.ndarray
    across_px: np.ndarray
    radius_px: float
    half_width: float
    depth_m: float
    is_guess: bool = False
    motion_2K: np.ndarray | None = None

    def carried_to(self, other: "Flat") -> "Flat":
        """The part, no further turned or stretched, at another's origin, depth and size."""
        growth = other.radius_px / self.radius_px
        return replace(other, along_px=self.along_px * growth, across_px=self.across_px * growth)

    def scaled(self, scale: float) -> "Flat":
        """The part in a picture of another size."""
        return replace(
            self,
            origin_px=scale * self.origin_px,
            along_px=scale * self.along_px,
            across_px=scale * self.across_px,
            radius_px=scale * self.radius_px,
        )

    def matrix(self) -> np.ndarray:
        """(3, 3) from the part's coordinates to pixels."""
        columns = np.column_stack([self.along_px, self.across_px, self.origin_px])
        return np.vstack([columns, [0, 0, 1]])

    def own(self, pixels: np.ndarray) -> np.ndarray:
        """(..., 2) pixels in the part's own coordinates."""
        return np.asarray((pixels - self.origin_px) @ np.linalg.inv(self.matrix()[:2, :2]).T)

    def pixels(self, own_st: np.ndarray) -> np.ndarray:
        """(..., 2) the other way round."""
        return np.asarray(own_st @ self.matrix()[:2, :2].T + self.origin_px)

    def distance(self, pixels_HW2: np.ndarray) -> np.ndarray:
        """(H, W) from the bone or rectangle, in radii."""
        st_HW2 = self.own(pixels_HW2)
        nearest_HW2 = np.stack(
            [st_HW2[..., 0].clip(0, 1), st_HW2[..., 1].clip(-self.half_width, self.half_width)], axis=-1
        )
        offset_HW2 = (st_HW2 - nearest_HW2) @ self.matrix()[:2, :2].T
        return np.asarray(np.linalg.norm(offset_HW2, axis=-1) / self.radius_px)


@dataclass(frozen=True, eq=False)
class FlatPiece:
    """A flat part, cut out of a picture.

    Attributes:
        place: where it is in the picture.
        picture_HW4: RGB times its share of the pixel, and that share.
    """

    place: Flat
    picture_HW4: np.ndarray

    def moved(self, now: Flat) -> Layer:
        """What it looks like when it is there instead."""
        window = self._window(now)
        if window.is_empty:
            return Layer.nothing()
        moved_HW4, shown_HW = self._carried(now, window) if _is_stiff(self.place, now) else self._slid(now, window)
        if not shown_HW.all():
            is_part_HW = shown_HW | (now.distance(window.centers()) < _REACH)
            moved_HW4 = moved_HW4 * is_part_HW[..., None]
        return Layer(window, moved_HW4)

    def _window(self, now: Flat) -> Window:
        """Around all that it may cover then: of a grid, the points that come from its picture, or the next ones do."""
        height, width = self.picture_HW4.shape[:2]
        across = (np.append(np.arange(0, size, STEP_PX), size) for size in (width, height))
        grid_HW2 = np.stack(np.meshgrid(*across), axis=-1).astype(float)
        sources_HW2 = self._sources(now, grid_HW2)
        step = max(np.abs(np.diff(sources_HW2, axis=axis)).max() for axis in (0, 1))
        low, high = self._extent
        is_near_HW = ((sources_HW2 > low - step) & (sources_HW2 < high + step)).all(axis=-1)
        return Window.around(grid_HW2[is_near_HW], STEP_PX, (height, width))

    @cached_property
    def _extent(self) -> np.ndarray:
        return extent(self.picture_HW4[..., 3], beyond=np.inf)

    def _carried(self, now: Flat, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 4) as the bone carries it, and (H, W) bool where that comes from within the picture."""
        sources = between_centers(self.place.matrix() @ np.linalg.inv(now.matrix()))
        size, flags = self.picture_HW4.shape[1::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved_HW4 = cv2.warpAffine(self.picture_HW4, sources, size, flags=flags, borderMode=_BEYOND)
        shown_HW = cv2.warpAffine(np.ones(size[::-1], np.uint8), sources, size, flags=cv2.WARP_INVERSE_MAP)
        return moved_HW4[window.pixels], shown_HW[window.pixels] > 0

    def _slid(self, now: Flat, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """The same where what is seen on the part moves beyond its bone."""
        height, width = self.picture_HW4.shape[:2]
        sources_HW2 = self._sources(now, window.centers()).astype(np.float32)
        at_HW2 = sources_HW2 - np.float32(0.5)
        moved_HW4 = cv2.remap(self.picture_HW4, at_HW2, None, cv2.INTER_LINEAR, borderMode=_BEYOND)
        is_within_HW2 = (sources_HW2 >= 0) & (sources_HW2 < (width, height))
        return moved_HW4, np.asarray(is_within_HW2.all(axis=-1))

    def _sources(self, now: Flat, pixels_HW2: np.ndarray) -> np.ndarray:
        """(H, W, 2) where in the picture is what is seen there, in pixels."""
        rests_HW2 = resting(now.own(pixels_HW2).astype(np.float32), now.motion_2K)
        return self.place.pixels(shown(rests_HW2, self.place.motion_2K))


def _is_stiff(one: Flat, other: Flat) -> bool:
    """Whether nobody knows more of either than where its bone is."""
    return one.motion_2K is None and other.motion_2K is None
