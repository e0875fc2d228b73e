"""The camera that a video does not tell of: a pinhole without distortion, its field of view assumed.

The assumption is made on the frame's diagonal: a portrait and a landscape video of one lens get one focal length.
"""

from dataclasses import dataclass
from math import hypot, radians, tan

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A pinhole camera; camera space is x right, y down, z forward."""

    focal_px: float
    principal_px: tuple[float, float]

    @classmethod
    def assumed(cls, frame_size: tuple[int, int], field_of_view_deg: float) -> "Camera":
        """A camera looking through the middle of a (width, height) frame with this diagonal field of view."""
        width, height = frame_size
        focal_px = hypot(width, height) / 2 / tan(radians(field_of_view_deg) / 2)
        return cls(focal_px, (width / 2, height / 2))

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) camera matrix."""
        x, y = self.principal_px
        return np.array([[self.focal_px, 0, x], [0, self.focal_px, y], [0, 0, 1]])

    def project(self, points_cam_m: np.ndarray) -> np.ndarray:
        """(..., 3) in front of the camera -> (..., 2) pixels."""
        return points_cam_m[..., :2] / points_cam_m[..., 2:] * self.focal_px + np.asarray(self.principal_px)

    def unproject(self, points_px: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
        """(..., 2) pixels at depths (...) -> (..., 3) in camera space."""
        across = (points_px - np.asarray(self.principal_px)) / self.focal_px * depth_m[..., None]
        return np.concatenate([across, depth_m[..., None]], axis=-1)
