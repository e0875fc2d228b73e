"""The camera: body axes to camera space (x right, y down, z forward) to pixels.

Legend: N points.
"""

from dataclasses import dataclass

import numpy as np

# Body axes seen by a camera in front of the person: the person's left is the image's right, up is minus y.
BODY_TO_CAMERA: np.ndarray = np.diag((1.0, -1.0, -1.0))


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that stands still.

    Attributes:
        rotation: (3, 3) body axes to camera axes.
        center_m: (3,) where it stands, body axes.
        focal_px: focal length.
        size: width and height in pixels; the principal point is the middle.
    """

    rotation: np.ndarray
    center_m: np.ndarray
    focal_px: float
    size: tuple[int, int]

    @property
    def principal_px(self) -> np.ndarray:
        """(2,) float32, the middle of the frame."""
        return np.array(self.size, np.float32) / 2

    def to_camera(self, points_m: np.ndarray) -> np.ndarray:
        """(..., 3) body axes to camera space, metres."""
        return (points_m - self.center_m.astype(points_m.dtype)) @ self.rotation.T.astype(points_m.dtype)

    def to_pixels(self, points_cam_m: np.ndarray) -> np.ndarray:
        """(..., 3) camera space to (..., 2) pixels."""
        return points_cam_m[..., :2] / points_cam_m[..., 2:3] * self.focal_px + self.principal_px


def look_at(
    target_m: np.ndarray,
    distance_m: float,
    azimuth_rad: float,
    elevation_rad: float,
    focal_px: float,
    size: tuple[int, int],
) -> Camera:
    """A camera that looks at a point from a distance; azimuth 0 stands in front of the person, elevation looks down."""
    sin_a, cos_a = np.sin(azimuth_rad), np.cos(azimuth_rad)
    sin_e, cos_e = np.sin(elevation_rad), np.cos(elevation_rad)
    towards_camera = np.array((sin_a * cos_e, sin_e, cos_a * cos_e))
    right = np.array((cos_a, 0.0, -sin_a))
    down = np.cross(-towards_camera, right)
    return Camera(np.stack([right, down, -towards_camera]), target_m + distance_m * towards_camera, focal_px, size)
