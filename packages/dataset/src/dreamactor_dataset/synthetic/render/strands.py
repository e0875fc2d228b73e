"""Hair: strands that run from the crown downwards, coils, and the roundness of a lock."""

import numpy as np
from numba import njit

from dreamactor_dataset.synthetic.render.noise import fractal, value_noise

_COILY = 2


@njit(cache=True)
def hair_color(
    color: np.ndarray, normal: np.ndarray, uv: np.ndarray, x: float, y: float, z: float, pattern: np.ndarray
) -> float:
    """Colour and relief at a place of the template, in place; returns the gloss.

    Args:
        uv: (2,) across a lock, and its tone; a tone of 0 is no lock.
        pattern: texture (0 straight, 1 wavy, 2 coily) and relative length of the strands.
    """
    kind, long = int(pattern[0]), pattern[1]
    clump = fractal(3.0 * x, 3.0 * y / long, 3.0 * z)
    around = np.arctan2(x, z - 0.35) + (0.10 + 0.12 * kind) * (clump - 0.5)
    if uv[1] > 0:
        strand = 0.6 * value_noise(7 * uv[0] + 90 * uv[1], 2.5 * y, 2.5 * z) + 0.4 * uv[1]
    elif kind == _COILY:
        strand = value_noise(19 * x + 2 * clump, 19 * y, 19 * z)
    else:
        strand = 0.65 * value_noise(52 * around, 5.5 * y / long + 2 * clump, 6 * z / long)
        strand += 0.35 * value_noise(21 * around + 5, 3 * y / long, 3 * z / long)
    tone = 0.40 + 0.85 * strand + 0.55 * (clump - 0.5)
    tilt = 0.5 * (strand - 0.5) + 0.5 * (clump - 0.5)
    normal[0] += tilt * np.cos(around)
    normal[1] += 0.3 * (clump - 0.5)
    normal[2] += tilt * np.sin(around)
    for axis in range(3):
        color[axis] *= tone
    return (0.015 if kind == _COILY else 0.02) + 0.05 * strand
