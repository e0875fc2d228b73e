"""Colours as linear-light reflectances, and how they are drawn from lists that run from dark to light."""

import numpy as np

Colour = tuple[float, float, float]


def along(ramp: tuple[Colour, ...], place: float) -> Colour:
    """The colour at a place in [0, 1] of a ramp."""
    grid = np.linspace(0, 1, len(ramp))
    red, green, blue = (float(np.interp(place, grid, channel)) for channel in zip(*ramp, strict=True))
    return (red, green, blue)


def dark_first(random: np.random.Generator, count: int, pale: float) -> int:
    """An index into a list that runs from dark to light: light ones only where `pale` is high."""
    return int(min(count - 1, random.random() ** (2.2 - 1.8 * pale) * count * (0.25 + 0.75 * pale)))
