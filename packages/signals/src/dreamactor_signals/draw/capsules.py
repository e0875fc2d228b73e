"""The rasteriser of bones: thick anti-aliased lines with round ends, painted in order.

A pixel's coverage is `half_width + 1/2 - distance` clipped to [0, 1], with the distance from the pixel's centre to the
line segment; colours are laid over each other with 8 bits. Each row's span is computed, and its inside filled without
distances, so that cost follows the painted edges and not the frame.

Pictures are planes (3, H, W), as the model reads them: along a row a plane is one run of memory. A view of an
(H, W, 3) image does as well, only slower.
"""

import math

import numpy as np
from numba import njit

# Planes and row are passed on, not a slice of them: every slice costs reference counts, half of the time in all.
# numpy's error model: no branch for division by zero, which the shapes below exclude; fast arithmetic: no infinities
# and no NaN, which tracks do not hold. What runs for each pixel is written into its caller: a call costs as much.
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
_inlined = njit(nogil=True, error_model="numpy", fastmath=True, inline="always")

# Fixed-point: colours carry 8 bits below the grey level, weights 16, their products both.
_COLOUR_BITS, _WEIGHT_BITS = 8, 16
_BITS = _COLOUR_BITS + _WEIGHT_BITS
_HALF, _WEIGHT_ONE, _COLOUR_ONE = 1 << (_BITS - 1), float(1 << _WEIGHT_BITS), float(1 << _COLOUR_BITS)
_FAR_PX = 1e300
# The inside of thinner lines is a pixel or two wide: not worth looking for.
_THIN_PX = 2.5


@_compiled
def paint_capsule_frames(
    planes_T3HW: np.ndarray,
    order_TN: np.ndarray,
    painted_TN: np.ndarray,
    ends_px_TN4: np.ndarray,
    colours_TN3: np.ndarray,
    half_widths_px_N: np.ndarray,
    opacity: float,
) -> None:
    """`paint_capsules` for T pictures, each with its own order.

    It stands in this file because compiled code is cached by the file that asks for it: elsewhere, a change here would
    go unnoticed.

    Args:
        planes_T3HW: (T, 3, H, W) uint8, changed in place.
        order_TN: (T, N) int64, first what lies at the bottom.
        painted_TN: (T, N) bool, by capsule and not by order; the others are left out.
        ends_px_TN4, colours_TN3, half_widths_px_N, opacity: as for `paint_capsules`.
    """
    for frame in range(len(planes_T3HW)):
        order = order_TN[frame]
        chosen = order[painted_TN[frame][order]]
        paint_capsules(
            planes_T3HW[frame],
            ends_px_TN4[frame][chosen],
            colours_TN3[frame][chosen],
            half_widths_px_N[chosen],
            opacity,
        )


@_compiled
def paint_capsules(
    planes: np.ndarray, ends_px: np.ndarray, colours: np.ndarray, half_widths_px: np.ndarray, opacity: float
) -> None:
    """Paint N capsules into a picture, the first at the bottom. What lies outside the picture is clipped.

    Args:
        planes: (3, H, W) uint8, changed in place.
        ends_px: (N, 4) float64 x0, y0, x1, y1; pixel centres lie at halves.
        colours: (N, 3) float64 in [0, 255].
        half_widths_px: (N,) float64.
        opacity: in [0, 1], of all of them.
    """
    height = planes.shape[1]
    for n in range(len(ends_px)):
        x0, y0, x1, y1 = ends_px[n, 0], ends_px[n, 1], ends_px[n, 2], ends_px[n, 3]
        length = math.hypot(x1 - x0, y1 - y0)
        inverse = 1.0 / length if length > 0.0 else 0.0
        line = (x0, y0, x1, y1, (x1 - x0) * inverse, (y1 - y0) * inverse, length)
        colour = (_fixed(colours[n, 0]), _fixed(colours[n, 1]), _fixed(colours[n, 2]))
        reach = half_widths_px[n] + 0.5
        first = int(min(max(np.ceil(min(y0, y1) - reach - 0.5), 0.0), float(height)))
        last = int(max(min(np.floor(max(y0, y1) + reach - 0.5), height - 1.0), -1.0))
        trunk_first, trunk_last = _trunk(line, half_widths_px[n], first, last)
        for row in range(first, trunk_first):
            _paint_row(planes, row, line, half_widths_px[n], colour, opacity)
        for row in range(trunk_first, trunk_last + 1):
            _paint_trunk_row(planes, row, line, half_widths_px[n], colour, opacity)
        for row in range(trunk_last + 1, last + 1):
            _paint_row(planes, row, line, half_widths_px[n], colour, opacity)


@_compiled
def _trunk(line: tuple[float, ...], half_width: float, first: int, last: int) -> tuple[int, int]:
    """The rows that cut both long sides and neither end; (last + 1, last) if there are none."""
    _, y0, _, y1, along_x, along_y, _ = line
    # Flat lines have a trunk of few rows, and their sides too little slope to divide by.
    if abs(along_y) < 0.05:
        return last + 1, last
    inset = (half_width + 0.5) * abs(along_x)
    top, bottom = min(y0, y1) + inset, max(y0, y1) - inset
    trunk_first = int(min(max(np.ceil(top - 0.5), float(first)), last + 1.0))
    trunk_last = int(max(min(np.floor(bottom - 0.5), float(last)), first - 1.0))
    return (trunk_first, trunk_last) if trunk_first <= trunk_last else (last + 1, last)


@_inlined
def _paint_trunk_row(
    planes: np.ndarray, row: int, line: tuple[float, ...], half_width: float, colour: tuple[int, ...], opacity: float
) -> None:
    """Paint a row of the trunk, where the distance to the line grows evenly from column to column."""
    x0, y0, _, _, along_x, along_y, _ = line
    steep = abs(along_y)
    middle = x0 + (row + 0.5 - y0) * along_x / along_y - 0.5
    outer, inner = (half_width + 0.5) / steep, max(half_width - 0.5, 0.0) / steep
    last_column = planes.shape[2] - 1.0
    first = int(min(max(np.ceil(middle - outer), 0.0), last_column + 1.0))
    last = int(max(min(np.floor(middle + outer), last_column), -1.0))
    inner_first = int(min(max(np.ceil(middle - inner), float(first)), last + 1.0))
    inner_last = int(max(min(np.floor(middle + inner), float(last)), first - 1.0))
    if inner_first > inner_last or half_width <= 0.5:
        inner_first, inner_last = last + 1, last
    for column in range(first, inner_first):
        _blend(planes, row, column, half_width + 0.5 - abs(column - middle) * steep, colour, opacity)
    _paint_inside(planes, row, inner_first, inner_last, colour, opacity)
    for column in range(inner_last + 1, last + 1):
        _blend(planes, row, column, half_width + 0.5 - abs(column - middle) * steep, colour, opacity)


@_inlined
def _blend(planes: np.ndarray, row: int, column: int, coverage: float, colour: tuple[int, ...], opacity: float) -> None:
    """Lay a colour over one pixel; coverage is clipped to [0, 1]."""
    weight = int(_WEIGHT_ONE * opacity * min(max(coverage, 0.0), 1.0))
    for channel in range(3):
        under = np.int64(planes[channel, row, column])
        mixed = (under << _BITS) + weight * (colour[channel] - (under << _COLOUR_BITS))
        planes[channel, row, column] = np.uint8((mixed + _HALF) >> _BITS)


@_inlined
def _paint_row(
    planes: np.ndarray, row: int, line: tuple[float, ...], half_width: float, colour: tuple[int, ...], opacity: float
) -> None:
    """Paint one row of one capsule: its edges by distance, its inside without."""
    y = row + 0.5
    last_column = planes.shape[2] - 1.0
    left, right = _span(y, line, half_width + 0.5)
    # A row that just misses the capsule has an empty, infinite span.
    first = int(min(max(np.ceil(left - 0.5), 0.0), last_column + 1.0))
    last = int(max(min(np.floor(right - 0.5), last_column), -1.0))
    if half_width < _THIN_PX:
        _paint_edge(planes, row, first, last, line, half_width, colour, opacity)
        return
    inner_left, inner_right = _span(y, line, half_width - 0.5)
    inner_first = int(min(max(np.ceil(inner_left - 0.5), float(first)), last + 1.0))
    inner_last = int(max(min(np.floor(inner_right - 0.5), float(last)), first - 1.0))
    if inner_first > inner_last:
        _paint_edge(planes, row, first, last, line, half_width, colour, opacity)
        return
    _paint_edge(planes, row, first, inner_first - 1, line, half_width, colour, opacity)
    _paint_inside(planes, row, inner_first, inner_last, colour, opacity)
    _paint_edge(planes, row, inner_last + 1, last, line, half_width, colour, opacity)


@_compiled
def _span(y: float, line: tuple[float, ...], radius: float) -> tuple[float, float]:
    """Where a row cuts a capsule: the extremes of its two discs and of its two long sides. Empty: left > right."""
    x0, y0, x1, y1, along_x, along_y, _ = line
    left, right = _FAR_PX, -_FAR_PX
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


@_inlined
def _paint_edge(
    planes: np.ndarray,
    row: int,
    first: int,
    last: int,
    line: tuple[float, ...],
    half_width: float,
    colour: tuple[int, ...],
    opacity: float,
) -> None:
    x0, y0, _, _, along_x, along_y, length = line
    down = row + 0.5 - y0
    for column in range(first, last + 1):
        across = column + 0.5 - x0
        place = min(max(across * along_x + down * along_y, 0.0), length)
        off_x, off_y = across - place * along_x, down - place * along_y
        distance = math.sqrt(off_x * off_x + off_y * off_y)
        _blend(planes, row, column, half_width + 0.5 - distance, colour, opacity)


@_inlined
def _paint_inside(planes: np.ndarray, row: int, first: int, last: int, colour: tuple[int, ...], opacity: float) -> None:
    if opacity < 1.0:
        for column in range(first, last + 1):
            _blend(planes, row, column, 1.0, colour, opacity)
        return
    half = 1 << (_COLOUR_BITS - 1)
    red = np.uint8((colour[0] + half) >> _COLOUR_BITS)
    green = np.uint8((colour[1] + half) >> _COLOUR_BITS)
    blue = np.uint8((colour[2] + half) >> _COLOUR_BITS)
    for column in range(first, last + 1):
        planes[0, row, column] = red
        planes[1, row, column] = green
        planes[2, row, column] = blue


@_inlined
def _fixed(colour: float) -> int:
    return int(colour * _COLOUR_ONE + 0.5)
