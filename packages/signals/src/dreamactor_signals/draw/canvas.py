"""The picture a track is drawn into: its size, and how track pixels become canvas pixels."""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack

NEAR_M = 0.05
"""Nothing nearer to the camera than this is drawn; behind it, projection means nothing."""


@dataclass(frozen=True)
class Canvas:
    """A drawing of a track at some size.

    Attributes:
        size: width and height in pixels.
        scale: (2,) canvas pixels for a pixel of the track's frame, along x and y.
    """

    size: tuple[int, int]
    scale: np.ndarray

    @classmethod
    def of(cls, track: MotionTrack, size: tuple[int, int]) -> "Canvas":
        """The canvas that shows the whole of the track's frame.

        Raises:
            InputError: the size is not positive.
        """
        width, height = int(size[0]), int(size[1])
        if width < 1 or height < 1:
            raise InputError(f"control maps of {width}x{height} pixels cannot be drawn")
        return cls((width, height), np.array([width / track.frame_size[0], height / track.frame_size[1]]))

    def project(self, track: MotionTrack, points_cam_m: np.ndarray) -> np.ndarray:
        """Camera-space points (..., 3) to canvas pixels (..., 2). Meaningless where depth is below `NEAR_M`."""
        return track.project(points_cam_m.astype(np.float64)) * self.scale

    def shorter_side(self) -> int:
        """What line widths are relative to."""
        return min(self.size)
