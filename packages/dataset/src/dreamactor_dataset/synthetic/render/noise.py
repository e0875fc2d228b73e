"""Value noise: the same smooth random function of space on every machine and in every run."""

import numpy as np
from numba import njit


@njit(cache=True)
def _corner(i: int, j: int, k: int) -> float:
    """A number in [0, 1) for a lattice point: integer hashing, wrapped to 32 bits."""
    h = (i * 374761393 + j * 668265263 + k * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1103515245) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 668265263) & 0xFFFFFFFF
    return ((h ^ (h >> 15)) & 0xFFFFFF) / 16777216.0


@njit(cache=True)
def value_noise(x: float, y: float, z: float) -> float:
    """Smooth noise in [0, 1] that changes over one unit."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    i, j, k = int(fx), int(fy), int(fz)
    tx, ty, tz = x - fx, y - fy, z - fz
    tx, ty, tz = tx * tx * (3 - 2 * tx), ty * ty * (3 - 2 * ty), tz * tz * (3 - 2 * tz)
    low = _mix(
        _mix(_corner(i, j, k), _corner(i + 1, j, k), tx), _mix(_corner(i, j + 1, k), _corner(i + 1, j + 1, k), tx), ty
    )
    high = _mix(
        _mix(_corner(i, j, k + 1), _corner(i + 1, j, k + 1), tx),
        _mix(_corner(i, j + 1, k + 1), _corner(i + 1, j + 1, k + 1), tx),
        ty,
    )
    return _mix(low, high, tz)


@njit(cache=True)
def _mix(a: float, b: float, share: float) -> float:
    return a + share * (b - a)


@njit(cache=True)
def fractal(x: float, y: float, z: float) -> float:
    """Three octaves of `value_noise`, in [0, 1]."""
    return (
        4 * value_noise(x, y, z)
        + 2 * value_noise(2.03 * x, 2.03 * y, 2.03 * z)
        + value_noise(4.1 * x, 4.1 * y, 4.1 * z)
    ) / 7
