"""What a few frames tell that a track cannot: sharpness and lettering.

Legend: H W pixels.
"""

import cv2
import numpy as np

_BLUR_PX = 9
# What a training frame shows of a person; more pixels than that may be as soft as they like.
_TALLEST_PX = 384
# A step between neighbours that counts as an edge of a letter, in grey levels.
_EDGE = 48
# Lines of letters are this high, of the frame's height, and much wider than high.
_LINE_HEIGHT = (0.012, 0.12)
_LINE_ASPECT = 2.5
# Edges of letters fill their line, and strokes stand close: edge runs in a row, for each line height of width.
_LINE_FILL = 0.45
_STROKES = 1.6


def sharpness(picture: np.ndarray) -> float:
    """What blurring takes from the steps between neighbouring pixels of a (H, W, 3) picture, in [0, 1].

    A sharp picture loses most of them, one that is blurred already next to none (the no-reference measure of Crété
    et al., 2007); how much there is to see in it hardly matters.
    """
    scale = min(1.0, _TALLEST_PX / picture.shape[0])
    size = max(2, round(picture.shape[1] * scale)), max(2, round(picture.shape[0] * scale))
    grey = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return min(_lost(grey, axis) for axis in (0, 1))


def _lost(grey: np.ndarray, axis: int) -> float:
    kernel = (1, _BLUR_PX) if axis == 0 else (_BLUR_PX, 1)
    steps, blurred = (np.abs(np.diff(image, axis=axis)) for image in (grey, cv2.blur(grey, kernel)))
    total = float(steps.sum())
    return float(np.maximum(steps - blurred, 0).sum()) / total if total else 0.0


def text_share(picture: np.ndarray) -> float:
    """Share of a (H, W, 3) picture that lines of letters cover: captions, logos, watermarks."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height = grey.shape[0]
    edges = (cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > _EDGE).astype(np.uint8)
    gap = max(3, round(0.025 * height))
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((max(2, round(0.008 * height)), gap), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined)
    area = sum(int(box[2] * box[3]) for box in boxes[1:] if _is_line(edges, box, height))
    return area / grey.size


def _is_line(edges: np.ndarray, box: np.ndarray, height: int) -> bool:
    x, y, box_width, box_height, _ = (int(value) for value in box)
    if not _LINE_HEIGHT[0] <= box_height / height <= _LINE_HEIGHT[1] or box_width < _LINE_ASPECT * box_height:
        return False
    inside = edges[y : y + box_height, x : x + box_width]
    runs = (np.diff(inside[box_height // 4 : -(box_height // 4) or None].astype(np.int8), axis=1) > 0).sum(axis=1)
    return bool(inside.mean() > _LINE_FILL and np.median(runs) * box_height / box_width > _STROKES * 0.5)
