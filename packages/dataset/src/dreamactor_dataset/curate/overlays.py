"""What was written over a video afterwards: subtitles, captions, names of channels.

Letters are strokes, thin for their height, of one tone, much brighter or darker than what lies about them; they stand
in level lines, and they are where they were a moment later, whatever moves behind them. Signs that a still camera
films all the time look the same.

Legend: H W pixels, N letters, of x, y, width, height in pixels and tone in grey levels.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np

_TALLEST_PX = 480
# Bright letters, and dark ones.
_KINDS = (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
# Shares of the picture's height: strokes are narrower, letters lie between.
_STROKE, _LETTER = 0.035, (0.012, 0.12)
# Grey levels: of a stroke against what is about it, of what stays as it was, of letters of one line.
_CONTRAST, _STILL, _ONE_TONE = 70, 24, 25
# Letters are no wider than this many times their height; strokes no thicker, and two pixels where letters are small.
_WIDEST, _THICKEST, _BLURRED_PX = 2.5, 0.45, 2
_FILLED = 0.15
# In a line: shares of its letters' height between two letters, up or down, and how unlike heights may be.
_APART, _LEVEL, _HEIGHTS = 1.2, 0.35, (0.55, 1.8)
_FEWEST_LETTERS = 6


def text_share(pictures: Sequence[np.ndarray]) -> float | None:
    """Share of the picture under lines of text that stay from one picture to the next, mean over neighbours.

    Args:
        pictures: (H, W, 3) uint8 of a clip in their order; None of a single one.
    """
    scale = min(1.0, _TALLEST_PX / pictures[0].shape[0])
    size = round(pictures[0].shape[1] * scale), round(pictures[0].shape[0] * scale)
    greys = [
        cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for picture in pictures
    ]
    shares = [max(_covered(*pair, kind) for kind in _KINDS) for pair in pairwise(greys)]
    return float(np.mean(shares)) if shares else None


def _covered(grey_HW: np.ndarray, later_HW: np.ndarray, kind: int) -> float:
    """Share of the picture under lines of letters of a kind that both pictures show."""
    strokes = _strokes(grey_HW, kind) & _strokes(later_HW, kind) & (cv2.absdiff(grey_HW, later_HW) <= _STILL)
    covered = np.zeros(grey_HW.shape, dtype=bool)
    for line in _lines(_letters(grey_HW, strokes.astype(np.uint8))):
        x0, y0 = line[:, :2].min(axis=0).astype(int)
        x1, y1 = (line[:, :2] + line[:, 2:4]).max(axis=0).astype(int)
        covered[y0:y1, x0:x1] = True
    return float(covered.mean())


def _strokes(grey_HW: np.ndarray, kind: int) -> np.ndarray:
    """(H, W) bool, what is narrow and stands out."""
    side = max(5, round(_STROKE * len(grey_HW)) | 1)
    return np.asarray(cv2.morphologyEx(grey_HW, kind, np.ones((side, side), np.uint8)) > _CONTRAST)


def _letters(grey_HW: np.ndarray, strokes_HW: np.ndarray) -> np.ndarray:
    """(N, 5) from left to right."""
    height = len(grey_HW)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(strokes_HW, connectivity=8)
    half = np.zeros(count, np.float32)
    np.maximum.at(half, labels.ravel(), cv2.distanceTransform(strokes_HW, cv2.DIST_L2, 3).ravel())
    tone = np.bincount(labels.ravel(), grey_HW.ravel().astype(np.float64), count) / np.bincount(labels.ravel())
    _, _, wide, high, area = boxes.T
    fits = (high >= _LETTER[0] * height) & (high <= _LETTER[1] * height) & (wide <= _WIDEST * high)
    fits &= (area >= _FILLED * wide * high) & (2 * half <= _THICKEST * high + _BLURRED_PX)
    # The first component is what is no stroke.
    fits[0] = False
    letters = np.column_stack([boxes[:, :4], tone])[fits]
    return letters[np.argsort(letters[:, 0])]


def _lines(letters: np.ndarray) -> Iterator[np.ndarray]:
    """Letters (N, 5) in level rows."""
    free = np.ones(len(letters), dtype=bool)
    for first in range(len(letters)):
        line = [first] if free[first] else []
        while line:
            following = np.flatnonzero(free & _continues(letters[line], letters))
            if not len(following):
                break
            line.append(int(following[0]))
        if len(line) >= _FEWEST_LETTERS:
            free[line] = False
            yield letters[line]


def _continues(line: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """(N,) bool, which letters may be the next of a line."""
    height, tone = np.median(line[:, 3]), np.median(line[:, 4])
    middle = np.median(line[:, 1] + line[:, 3] / 2)
    x, y, _, high, tones = letters.T
    gap = x - (line[-1, 0] + line[-1, 2])
    level = np.abs(y + high / 2 - middle) < _LEVEL * height
    alike = (high > _HEIGHTS[0] * height) & (high < _HEIGHTS[1] * height) & (np.abs(tones - tone) < _ONE_TONE)
    return np.asarray((x > line[-1, 0]) & (gap < _APART * height) & level & alike)
