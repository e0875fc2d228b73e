"""The rasteriser of bones: thick anti-aliased lines with round ends, painted in order.

A pixel's coverage is `half_width + 1/2 - distance` clipped to [0, 1], with the distance from the pixel's centre to the
line segment; colours are laid over each other with 8 bits. Each row's span is computed, and its inside filled without
distances, so that cost follows the painted edges and not the frame.
"""

import math

import numpy as np
from numba import njit

# Image and row are passed on, not a slice of the image: every slice costs reference counts, half of the time in all.
# numpy's error model: no branch for division by zero, which the shapes below exclude.
_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def paint_capsules(
    image: np.ndarray, ends_px: np.ndarray, colours: np.ndarray, half_widths_px: np.ndarray, opacity: float
) -> None:
    """Paint N capsules into an image, the first at the bottom. What lies outside the image is clipped.

    Args:
        image: (H, W, 3) uint8, changed in place.
        ends_px: (N, 4) float64 x0, y0, x1, y1; pixel centres lie at halves.
        colours: (N, 3) float64 in [0, 255].
        half_widths_px: (N,) float64.
        opacity: in [0, 1], of all of them.
    """
    height = image.shape[0]
    for n in range(len(ends_px)):
        x0, y0, x1, y1 = ends_px[n, 0], ends_px[n, 1], ends_px[n, 2], ends_px[n, 3]
        length = math.hypot(x1 - x0, y1 - y0)
        inverse = 1.0 / length if length > 0.0 else 0.0
        line = (x0, y0, x1, y1, (x1 - x0) * inverse, (y1 - y0) * inverse, length)
        colour = (colours[n, 0], colours[n, 1], colours[n, 2])
        reach = half_widths_px[n] + 0.5
        first = int(min(max(np.ceil(min(y0, y1) - reach - 0.5), 0.0), float(height)))
        last = int(max(min(np.floor(max(y0, y1) + reach - 0.5), height - 1.0), -1.0))
        for row in range(first, last + 1):
            _paint_row(image, row, line, half_widths_px[n], colour, opacity)


@_compiled
def _paint_row(
    image: np.ndarray, row: int, line: tuple[float, ...], half_width: float, colour: tuple[float, ...], opacity: float
) -> None:
    """Paint one row of one capsule: its edges by distance, its inside without."""
    y = row + 0.5
    last_column = image.shape[1] - 1.0
    left, right = _span(y, line, half_width + 0.5)
    # A row that just misses the capsule has an empty, infinite span.
    first = int(min(max(np.ceil(left - 0.5), 0.0), last_column + 1.0))
    last = int(max(min(np.floor(right - 0.5), last_column), -1.0))
    inner_left, inner_right = _span(y, line, half_width - 0.5)
    inner_first = int(min(max(np.ceil(inner_left - 0.5), float(first)), last + 1.0))
    inner_last = int(max(min(np.floor(inner_right - 0.5), float(last)), first - 1.0))
    if inner_first > inner_last:
        _paint_edge(image, row, first, last, line, half_width, colour, opacity)
        return
    _paint_edge(image, row, first, inner_first - 1, line, half_width, colour, opacity)
    _paint_inside(image, row, inner_first, inner_last, colour, opacity)
    _paint_edge(image, row, inner_last + 1, last, line, half_width, colour, opacity)


@_compiled
def _span(y: float, line: tuple[float, ...], radius: float) -> tuple[float, float]:
    """Where a row cuts a capsule: the extremes of its two discs and of its two long sides. Empty: left > right."""
    x0, y0, x1, y1, along_x, along_y, _ = line
    left, right = math.inf, -math.inf
    if radius <= 0.0:
        return left, right
    rest = radius * radius - (y - y0) * (y - y0)
    if rest >= 0.0:
        half = math.sqrt(rest)
        left, right = x0 - half, x0 + half
    rest = radius * radius - (y - y1) * (y - y1)
    if rest >= 0.0:
        half = math.sqrt(rest)
        left, right = min(left, x1 - half), max(right, x1 + half)
    if along_y == 0.0:
        return left, right
    low, high = min(y0, y1), max(y0, y1)
    slope = along_x / along_y
    # One long side is shifted by the normal, the other by its opposite.
    for shift in (radius, -radius):
        down = shift * along_x
        if low <= y - down <= high:
            x = x0 - shift * along_y + (y - down - y0) * slope
            left, right = min(left, x), max(right, x)
    return left, right


@_compiled
def _paint_edge(
    image: np.ndarray,
    row: int,
    first: int,
    last: int,
    line: tuple[float, ...],
    half_width: float,
    colour: tuple[float, ...],
    opacity: float,
) -> None:
    x0, y0, x1, y1, along_x, along_y, length = line
    y = row + 0.5
    for column in range(first, last + 1):
        from_x, from_y = column + 0.5 - x0, y - y0
        place = from_x * along_x + from_y * along_y
        if place <= 0.0:
            distance = math.sqrt(from_x * from_x + from_y * from_y)
        elif place >= length:
            to_x, to_y = column + 0.5 - x1, y - y1
            distance = math.sqrt(to_x * to_x + to_y * to_y)
        else:
            distance = abs(from_x * along_y - from_y * along_x)
        alpha = opacity * min(max(half_width + 0.5 - distance, 0.0), 1.0)
        for channel in range(3):
            under = float(image[row, column, channel])
            image[row, column, channel] = np.uint8(under + alpha * (colour[channel] - under) + 0.5)


@_compiled
def _paint_inside(
    image: np.ndarray, row: int, first: int, last: int, colour: tuple[float, ...], opacity: float
) -> None:
    if opacity < 1.0:
        for column in range(first, last + 1):
            for channel in range(3):
                under = float(image[row, column, channel])
                image[row, column, channel] = np.uint8(under + opacity * (colour[channel] - under) + 0.5)
        return
    red, green, blue = np.uint8(colour[0] + 0.5), np.uint8(colour[1] + 0.5), np.uint8(colour[2] + 0.5)
    for column in range(first, last + 1):
        image[row, column, 0], image[row, column, 1], image[row, column, 2] = red, green, blue
