"""The head sphere (paper 3.2): a disc at the skull, as large as the skull, coloured by how the head is turned.

The sphere carries a fixed colour map of its surface normals in head coordinates: red, green and blue are the normal's
x, y and z, from -1 to 1 onto 0 to 255. So each of the three axes of rotation moves the colours in its own way, and a
patch of the disc is enough to read the rotation back.

Legend: T video frames, H height, W width.
"""

import math

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from numba import njit

from dreamactor_signals.draw.canvas import NEAR_M, Canvas
from dreamactor_signals.visibility import SEEN


def draw_spheres(planes_T3HW: np.ndarray, track: MotionTrack, canvas: Canvas, *, opacity: float = 1.0) -> None:
    """Draw every frame's head sphere; nothing where the head is not seen or behind the camera.

    Args:
        planes_T3HW: (T, 3, H, W) uint8 of the canvas's size, changed in place.
        track: T frames.
        canvas: from `Canvas.of`.
        opacity: below 1, the pictures show through.
    """
    depth_m = track.head_center_cam_m[:, 2].astype(np.float64)
    drawn = (track.head_confidence >= SEEN) & (depth_m > NEAR_M)
    centers_px = canvas.project(track, track.head_center_cam_m)
    pixels_per_m = track.focal_px * math.sqrt(float(canvas.scale.prod())) / np.where(drawn, depth_m, 1.0)
    radii_px = pixels_per_m * track.head_radius_m
    camera_to_head = np.ascontiguousarray(track.head_rotation.transpose(0, 2, 1), dtype=np.float64)
    gains = 127.5 * track.head_confidence.astype(np.float64)
    for frame in np.flatnonzero(drawn):
        x_px, y_px = centers_px[frame]
        _paint_sphere(planes_T3HW[frame], x_px, y_px, radii_px[frame], camera_to_head[frame], gains[frame], opacity)


@njit(cache=True, nogil=True, error_model="numpy")
def _paint_sphere(
    planes: np.ndarray,
    x: float,
    y: float,
    radius: float,
    camera_to_head: np.ndarray,
    gain: float,
    opacity: float,
) -> None:
    """Paint the disc row by row; its edge is anti-aliased over one pixel."""
    height, width = planes.shape[1], planes.shape[2]
    reach = radius + 0.5
    first = int(min(max(np.ceil(y - reach - 0.5), 0.0), float(height)))
    last = int(max(min(np.floor(y + reach - 0.5), height - 1.0), -1.0))
    for row in range(first, last + 1):
        down = row + 0.5 - y
        half = math.sqrt(max(reach * reach - down * down, 0.0))
        first_column = int(min(max(np.ceil(x - half - 0.5), 0.0), float(width)))
        last_column = int(max(min(np.floor(x + half - 0.5), width - 1.0), -1.0))
        for column in range(first_column, last_column + 1):
            across = column + 0.5 - x
            distance = math.sqrt(across * across + down * down)
            # Edge pixels whose centre lies outside take the normal of the rim.
            inverse = 1.0 / max(radius, distance)
            n_x, n_y = across * inverse, down * inverse
            # The side that is seen faces the camera.
            n_z = -math.sqrt(max(1.0 - n_x * n_x - n_y * n_y, 0.0))
            alpha = opacity * min(radius + 0.5 - distance, 1.0)
            for axis in range(3):
                normal = camera_to_head[axis, 0] * n_x + camera_to_head[axis, 1] * n_y + camera_to_head[axis, 2] * n_z
                # Rotations read from a float32 file may leave [-1, 1] by a rounding.
                colour = min(max(normal + 1.0, 0.0), 2.0) * gain
                under = float(planes[axis, row, column])
                planes[axis, row, column] = np.uint8(under + alpha * (colour - under) + 0.5)
