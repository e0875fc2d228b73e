"""Shadows on the floor: what makes a person stand and not float.

Legend: H W pixels.
"""

import numpy as np
from numba import njit

from dreamactor_dataset.synthetic.render.shadows import shadow

# Key light's share of the light on a floor, and the darkness right under somebody.
_KEY_SHARE, _CONTACT, _CONTACT_M = 0.42, 0.30, 0.28


@njit(cache=True)
def shade_ground(
    index: np.ndarray, image: np.ndarray, ground: np.ndarray, frame: np.ndarray, depth: np.ndarray
) -> None:
    """Darken the floor in `image` (H, W, 3) where no triangle is seen and the person keeps light from it.

    Args:
        index: (H, W) int32 triangle of each pixel.
        ground: (11,) the floor's normal (3) and offset, the place below the person (3), greatest depth, all in camera
            space; focal length and principal point (2) in pixels.
        frame, depth: see `shadows.shadow`.
    """
    height, width = index.shape
    up = ground[:3]
    for row in range(height):
        for column in range(width):
            if index[row, column] >= 0:
                continue
            x, y = (column + 0.5 - ground[9]) / ground[8], (row + 0.5 - ground[10]) / ground[8]
            slope = up[0] * x + up[1] * y + up[2]
            if slope * ground[3] <= 0:
                continue
            z = ground[3] / slope
            if z > ground[7]:
                continue
            px, py, pz = np.float32(x * z), np.float32(y * z), np.float32(z)
            away = (px - ground[4]) ** 2 + (py - ground[5]) ** 2 + (pz - ground[6]) ** 2
            lit = 1 - _KEY_SHARE * (1 - shadow(px, py, pz, up, frame, depth))
            lit *= 1 - _CONTACT * np.exp(-away / (_CONTACT_M * _CONTACT_M))
            for axis in range(3):
                image[row, column, axis] *= lit
