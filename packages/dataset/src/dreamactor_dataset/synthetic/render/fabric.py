"""Cloth: how patterns lie on the template, weave, ribs and soft folds. They move with the body.

Template decimetres: x to the person's left, y up, z forward.
"""

import numpy as np
from numba import njit

from dreamactor_dataset.synthetic.figure.clothes.outfit import Pattern
from dreamactor_dataset.synthetic.render.noise import fractal, value_noise

_STRIPES, _CHECKS, _MELANGE = int(Pattern.STRIPES), int(Pattern.CHECKS), int(Pattern.MELANGE)
_PINSTRIPES, _DOTS, _PRINT = int(Pattern.PINSTRIPES), int(Pattern.DOTS), int(Pattern.PRINT)
_BLOCK, _RAGLAN, _BUTTONS = int(Pattern.BLOCK), int(Pattern.RAGLAN), int(Pattern.BUTTONS)
_DENIM, _SOLE = int(Pattern.DENIM), int(Pattern.SOLE)


@njit(cache=True)
def cloth_color(
    color: np.ndarray,
    normal: np.ndarray,
    x: float,
    y: float,
    z: float,
    fold_x: float,
    fold_y: float,
    second: np.ndarray,
    pattern: np.ndarray,
) -> None:
    """Colour and relief of a fabric at a place of the template, in place.

    Args:
        fold_x, fold_y: see `folds`.
        second: (3,) the other colour.
        pattern: (3,) kind, scale and ribs, see `outfit.Cloth`.
    """
    kind, scale, ribbed = int(pattern[0]), pattern[1], pattern[2]
    share = _share(kind, scale, x, y, z)
    weave = 0.92 + 0.16 * value_noise(38 * x, 38 * y, 38 * z)
    for axis in range(3):
        color[axis] = (color[axis] * (1 - share) + second[axis] * share) * weave
    normal[0] += fold_x + 0.22 * ribbed * np.sin(44 * x)
    normal[1] += fold_y


@njit(cache=True)
def folds(places: np.ndarray) -> np.ndarray:
    """(N, 2) float32 how soft folds tilt a cloth's normal at places (N, 3); baked once a person."""
    tilts = np.empty((len(places), 2), np.float32)
    for n in range(len(places)):
        x, y, z = places[n, 0], places[n, 1], places[n, 2]
        crease = 0.35 * (value_noise(2.2 * x + 3, 1.1 * y + 1.4 * x, 2.2 * z) - 0.5)
        tilts[n, 0] = 0.70 * (fractal(1.3 * x + 7, 0.8 * y, 1.3 * z) - 0.5) + crease
        tilts[n, 1] = 0.55 * (fractal(1.3 * x, 0.9 * y + 13, 1.3 * z) - 0.5) + crease
    return tilts


@njit(cache=True)
def soft_step(low: float, high: float, value: float) -> float:
    """0 below `low`, 1 above `high`, smooth between."""
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


@njit(cache=True)
def _share(kind: int, scale: float, x: float, y: float, z: float) -> float:
    """Share of the second colour."""
    if kind == _STRIPES:
        return soft_step(0.45, 0.55, 0.5 + 0.5 * np.sin(scale * 2.2 * y))
    if kind == _CHECKS:
        across = soft_step(0.4, 0.6, 0.5 + 0.5 * np.sin(scale * 2 * x))
        return 0.5 * soft_step(0.4, 0.6, 0.5 + 0.5 * np.sin(scale * 2 * y)) + 0.5 * across
    if kind == _MELANGE:
        return 0.7 * soft_step(0.35, 0.65, value_noise(30 * x, 22 * y, 30 * z))
    if kind == _PINSTRIPES:
        return 0.8 * soft_step(0.78, 0.9, 0.5 + 0.5 * np.sin(scale * 4 * x))
    if kind == _DOTS:
        return _dots(scale, x, y)
    if kind == _PRINT:
        return _print(scale, x, y - 3.9) if z > 0 else 0.0
    if kind == _BLOCK:
        below = soft_step(3.62, 3.58, y)
        return below * soft_step(2.58, 2.62, y) if scale > 4.5 else below
    if kind == _RAGLAN:
        return soft_step(0.0, 0.03, abs(x) - min(1.65, 0.55 + 1.15 * max(0.0, 5.9 - y)))
    if kind == _BUTTONS:
        return _buttons(x, y) if z > 0 else 0.0
    if kind == _DENIM:
        worn = 0.5 * soft_step(0.1, 0.9, z) * soft_step(-6.0, -1.5, y) * (0.5 + value_noise(1.2 * x, 0.8 * y, z))
        return min(1.0, worn + 0.35 * value_noise(36 * x, 7 * y, 36 * z))
    if kind == _SOLE:
        return soft_step(-7.93, -7.97, y)
    return 0.0


@njit(cache=True)
def _dots(scale: float, x: float, y: float) -> float:
    row = np.floor(scale * 0.8 * y)
    across = scale * 0.8 * x + 0.5 * (row % 2)
    dx, dy = across - np.floor(across) - 0.5, scale * 0.8 * y - row - 0.5
    return soft_step(0.30, 0.24, np.sqrt(dx * dx + dy * dy))


@njit(cache=True)
def _print(scale: float, x: float, y: float) -> float:
    """A disc, a ring with a bar, or three lines on the chest."""
    away = np.sqrt(x * x + y * y)
    if scale < 3.7:
        return soft_step(0.80, 0.76, away)
    if scale < 5.3:
        ring = soft_step(0.85, 0.81, away) * soft_step(0.60, 0.64, away)
        return max(ring, soft_step(0.16, 0.12, abs(y)) * soft_step(1.0, 0.96, abs(x)))
    line = abs((y + 10.0) % 0.44 - 0.22)
    return soft_step(0.15, 0.11, line) * soft_step(0.66, 0.62, abs(y)) * soft_step(0.9, 0.86, abs(x + 0.3 * y))


@njit(cache=True)
def _buttons(x: float, y: float) -> float:
    """The edges of a placket and the buttons on it."""
    edge = soft_step(0.03, 0.01, abs(abs(x) - 0.17))
    dy = (y + 10.0) % 0.72 - 0.36
    return max(0.7 * edge, soft_step(0.075, 0.05, np.sqrt(x * x + dy * dy)))
