"""Square face crops for the face motion encoder (paper 3.1): steady windows around boxes that jitter.

Legend: T video frames, S side of the crop in pixels.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from dreamactor_signals.litert.regions import Region
from dreamactor_signals.smoothing import smooth

# The box runs along the landmarks; cheeks, chin and forehead need room when they move.
_MARGIN = 1.3
# The window may follow the head but not the jaw: its place is steadied a little, its size much more.
_PLACE_SIGMA_FRAMES, _SIZE_SIGMA_FRAMES = 2.0, 8.0


def crop_faces(frames: Iterable[np.ndarray], boxes_px: np.ndarray, size: int = 224) -> np.ndarray:
    """All crops of a clip, (T, S, S, 3) uint8; see `stream_face_crops`."""
    return np.stack(list(stream_face_crops(frames, boxes_px, size)))


def stream_face_crops(frames: Iterable[np.ndarray], boxes_px: np.ndarray, size: int = 224) -> Iterator[np.ndarray]:
    """Crop one frame after the other; nothing is kept.

    Args:
        frames: T frames, (H, W, 3) uint8 RGB each.
        boxes_px: (T, 4) x0 y0 x1 y1; an empty box means no face.
        size: side of the crops.

    Yields:
        (S, S, 3) uint8; black where there is no face, and beyond the frame.

    Raises:
        ValueError: more or fewer frames than boxes.
    """
    for frame, window in zip(frames, face_windows(boxes_px), strict=True):
        yield np.zeros((size, size, 3), np.uint8) if window is None else window.crop(frame, size)


def face_windows(boxes_px: np.ndarray) -> list[Region | None]:
    """The steady square windows of (T, 4) boxes; None where the box is empty."""
    boxes = np.asarray(boxes_px, dtype=np.float64)
    extent = boxes[:, 2:] - boxes[:, :2]
    seen = np.all(extent > 0, axis=1)
    weights = seen.astype(np.float64)
    centers = smooth((boxes[:, :2] + boxes[:, 2:]) / 2, weights, _PLACE_SIGMA_FRAMES)
    sides = smooth(extent.max(axis=1), weights, _SIZE_SIGMA_FRAMES) * _MARGIN
    return [
        Region((float(center[0]), float(center[1])), float(side)) if there else None
        for center, side, there in zip(centers, sides, seen, strict=True)
    ]
