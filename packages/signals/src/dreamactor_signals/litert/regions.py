"""Rotated square regions of a frame: what every network looks at.

Crop coordinates run from (0, 0) at the region's own top-left corner to (1, 1); frame coordinates are pixels from the
frame's top-left corner, so that the middle of pixel (i, j) lies at (i + 0.5, j + 0.5).
"""

from dataclasses import dataclass
from math import atan2, ceil, cos, pi, sin

import numpy as np


@dataclass(frozen=True)
class Region:
    """A square of side `side_px` around `center_px`, turned clockwise on the screen by `angle_rad`."""

    center_px: tuple[float, float]
    side_px: float
    angle_rad: float = 0.0

    @classmethod
    def of_frame(cls, frame: np.ndarray) -> "Region":
        """The smallest upright square that holds the whole frame; beyond the frame it reads black."""
        height, width = frame.shape[:2]
        return cls((width / 2, height / 2), float(max(width, height)))

    @classmethod
    def tiles(cls, frame: np.ndarray) -> "list[Region]":
        """Upright squares as long as the frame's shorter edge, half overlapping, along its longer edge."""
        height, width = frame.shape[:2]
        side = min(height, width)
        count = 2 * ceil((max(height, width) - side) / side) + 1
        middles = np.linspace(side / 2, max(height, width) - side / 2, count)
        return [cls((float(m), height / 2) if width >= height else (width / 2, float(m)), float(side)) for m in middles]

    @property
    def rotation(self) -> np.ndarray:
        """(2, 2) from the region's axes to the frame's."""
        c, s = cos(self.angle_rad), sin(self.angle_rad)
        return np.array([[c, -s], [s, c]])

    def to_frame(self, points_crop: np.ndarray) -> np.ndarray:
        """Crop coordinates (..., 2) to frame pixels (..., 2)."""
        return (np.asarray(points_crop) - 0.5) * self.side_px @ self.rotation.T + np.asarray(self.center_px)

    def to_crop(self, points_px: np.ndarray) -> np.ndarray:
        """Frame pixels (..., 2) to crop coordinates (..., 2)."""
        return (np.asarray(points_px) - np.asarray(self.center_px)) @ self.rotation / self.side_px + 0.5

    def turn(self, points: np.ndarray) -> np.ndarray:
        """Turn 3D points (..., 3), given along the region's axes, to the frame's axes; depth stays."""
        turned = np.array(points, dtype=np.float64)
        turned[..., :2] = turned[..., :2] @ self.rotation.T
        return turned

    def scaled(self, factor: float, *, shift_crop: tuple[float, float] = (0.0, 0.0)) -> "Region":
        """The region moved by a share of its side along its own axes, then grown by `factor` around its centre."""
        center = self.to_frame(np.asarray(shift_crop) + 0.5)
        return Region((float(center[0]), float(center[1])), self.side_px * factor, self.angle_rad)

    def crop(self, frame: np.ndarray, size: int) -> np.ndarray:
        """(size, size, 3) uint8 of a (H, W, 3) uint8 frame; black beyond the frame."""
        import cv2

        # A bilinear reader skips pixels when it shrinks by more than two: read finer, then average.
        fineness = int(np.clip(self.side_px / size, 1, 4))
        fine = size * fineness
        scale = self.side_px / fine
        linear = self.rotation * scale
        # Index of the first crop pixel's middle, in frame indices.
        origin = self.to_frame(np.full(2, 0.5 / fine)) - 0.5
        matrix = np.column_stack([linear, origin])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(frame, matrix, (fine, fine), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        return crop if fineness == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)


def angle_upright(base_px: np.ndarray, top_px: np.ndarray) -> float:
    """Angle of a region in which `top_px` stands straight above `base_px`."""
    across, down = float(top_px[0] - base_px[0]), float(top_px[1] - base_px[1])
    return _wrap(pi / 2 - atan2(-down, across))


def angle_level(start_px: np.ndarray, end_px: np.ndarray) -> float:
    """Angle of a region in which `end_px` lies level to the right of `start_px`."""
    across, down = float(end_px[0] - start_px[0]), float(end_px[1] - start_px[1])
    return _wrap(-atan2(-down, across))


def region_around(points_px: np.ndarray, angle_rad: float) -> Region:
    """The square, turned by `angle_rad`, around (N, 2) points: as long as the longer edge of their box."""
    turned = Region((0.0, 0.0), 1.0, angle_rad).to_crop(points_px)
    low, high = turned.min(axis=0), turned.max(axis=0)
    center = Region((0.0, 0.0), 1.0, angle_rad).to_frame((low + high) / 2)
    return Region((float(center[0]), float(center[1])), float((high - low).max()), angle_rad)


def _wrap(angle_rad: float) -> float:
    return (angle_rad + pi) % (2 * pi) - pi
