"""Square face crops for the face motion encoder (paper 3.1).

Legend: T video frames, S side of the crop in pixels.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from dreamactor_signals.faces.windows import face_windows

CROP_PX = 224


def crop_faces(frames: Iterable[np.ndarray], boxes_px: np.ndarray, size: int = CROP_PX) -> np.ndarray:
    """All crops of a clip, (T, S, S, 3) uint8; see `stream_face_crops`."""
    return np.stack(list(stream_face_crops(frames, boxes_px, size)))


def stream_face_crops(frames: Iterable[np.ndarray], boxes_px: np.ndarray, size: int = CROP_PX) -> Iterator[np.ndarray]:
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
