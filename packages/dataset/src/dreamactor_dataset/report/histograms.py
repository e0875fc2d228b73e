"""Histograms as SVG: kept and rejected clips on one another, the limit as a line."""

from collections.abc import Sequence
from html import escape

import numpy as np

_WIDTH, _HEIGHT, _MARGIN, _FOOT, _HEAD = 300, 150, 8, 20, 22
_BINS = 24
KEPT, REJECTED, LIMIT = "#2f7d5b", "#c8553d", "#1c1c28"


def histogram(
    title: str, kept: Sequence[float], rejected: Sequence[float], *, limit: float | None = None, whole: bool = False
) -> str:
    """An <svg>, or a sentence where nothing was measured.

    Args:
        limit: drawn as a line.
        whole: the values are whole numbers, each with a bar of its own where they are few.
    """
    values = np.array([*kept, *rejected], dtype=float)
    if not len(values):
        return f"<figure><figcaption>{escape(title)}</figcaption><p>not measured</p></figure>"
    edges = _edges(values, limit, whole=whole)
    good, bad = (np.histogram(part, edges)[0] for part in (kept, rejected))
    # A whole number stands in the middle of its bar.
    low, high = (edges[0] + 0.5, edges[-1] - 0.5) if whole else (edges[0], edges[-1])
    bars = "".join(
        _bar(index, good[index], bad[index], len(good), int((good + bad).max())) for index in range(len(good))
    )
    line = "" if limit is None else _limit_line(limit, edges)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<text x="{_MARGIN}" y="15" class="title">{escape(title)}</text>{bars}{line}'
        f'<text x="{_MARGIN}" y="{_HEIGHT - 5}">{low:.3g}</text>'
        f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 5}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{_WIDTH - _MARGIN}" y="15" text-anchor="end">{len(values)} clips</text></svg>'
    )


def _edges(values: np.ndarray, limit: float | None, *, whole: bool) -> np.ndarray:
    """Of the bins; values far outside are in the first and last of them."""
    low, high = float(values.min()), float(values.max())
    if limit is not None:
        low, high = min(low, limit), max(high, limit)
    if whole and high - low < _BINS:
        return np.arange(low - 0.5, high + 1)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, _BINS + 1)


def _bar(index: int, good: int, bad: int, count: int, highest: int) -> str:
    """Kept below, rejected on top."""
    room = _HEIGHT - _FOOT - _HEAD
    width = (_WIDTH - 2 * _MARGIN) / count
    x, floor = _MARGIN + index * width, float(_HEIGHT - _FOOT)
    parts = []
    for number, colour in ((good, KEPT), (bad, REJECTED)):
        height = room * number / max(1, highest)
        floor -= height
        if number:
            place = f'x="{x + 0.5:.1f}" y="{floor:.1f}" width="{width - 1:.1f}" height="{height:.1f}"'
            parts.append(f'<rect {place} fill="{colour}"/>')
    return "".join(parts)


def _limit_line(limit: float, edges: np.ndarray) -> str:
    share = (limit - edges[0]) / (edges[-1] - edges[0])
    x = _MARGIN + share * (_WIDTH - 2 * _MARGIN)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD - 2}" y2="{_HEIGHT - _FOOT}" stroke="{LIMIT}" '
        'stroke-dasharray="4 3"/>'
    )
