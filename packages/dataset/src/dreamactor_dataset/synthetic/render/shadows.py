"""What lies in the shadow of the key light."""

import numpy as np
from numba import njit


@njit(cache=True)
def shadow(px: float, py: float, pz: float, normal: np.ndarray, frame: np.ndarray, depth: np.ndarray) -> float:
    """Share of the key light that arrives at a place in camera space: 3 x 3 taps of the shadow map, blurred.

    Args:
        frame: (3, 4) camera space to map column, row, nearness.
        depth: (S, S) the map: nearness of what the light sees.
    """
    lift = np.float32(0.004)
    x, y, z = px + lift * normal[0], py + lift * normal[1], pz + lift * normal[2]
    column = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z + frame[0, 3]
    row = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z + frame[1, 3]
    near = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z + frame[2, 3]
    size = depth.shape[0]
    lit = 0.0
    for i in range(-1, 2):
        for j in range(-1, 2):
            r, c = int(np.floor(row + 1.2 * i)), int(np.floor(column + 1.2 * j))
            if r < 0 or c < 0 or r >= size or c >= size or near > depth[r, c] - np.float32(0.006):
                lit += 1.0
    return lit / 9
