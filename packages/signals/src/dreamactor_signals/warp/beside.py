"""Around the surface of a head: hair, ears, and what the average head lacks.

Legend: H W rows and columns.
"""

import cv2
import numpy as np

from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp.head import Head

# Over this many radii beyond the face, what stands there ceases to go with it.
_FADE = 0.35


def sources_beside(
    sources_HW2: np.ndarray, on_HW: np.ndarray, is_face_HW: np.ndarray, now: Head, place: Head, roll: np.ndarray
) -> np.ndarray:
    """(H, W, 2) where the picture shows what is beside the surface, in pixels.

    Hair is alike all around: it stays when the head turns, and rolls with it. Beside a face it goes as the nearest
    point of the face does, less so the farther it is.

    Args:
        sources_HW2: where it shows the surface itself.
        on_HW, is_face_HW: bool, where the surface is seen now, and where that is the face.
        now, place: where the head is and where the picture has it.
        roll: (2, 2) from there to here.
    """
    from_center_HW2 = (pixel_centers(on_HW.shape) - now.center_px) / now.skull_px
    rolled_HW2 = place.center_px + place.skull_px * (from_center_HW2 @ roll.T)
    if on_HW.all() or not on_HW.any():
        return rolled_HW2
    far_HW, nearest_HW = nearest(on_HW)
    moved_HW2 = ((sources_HW2 - rolled_HW2) * is_face_HW[..., None]).reshape(-1, 2)[nearest_HW]
    return np.asarray(rolled_HW2 + np.exp(-far_HW / (now.skull_px * _FADE))[..., None] * moved_HW2)


def beside_face(on_HW: np.ndarray, is_face_HW: np.ndarray) -> np.ndarray:
    """(H, W) float32, 1 where the nearest point of a surface is of the face, else 0."""
    if not on_HW.any():
        return np.zeros(on_HW.shape, np.float32)
    _, nearest_HW = nearest(on_HW)
    return is_face_HW.reshape(-1)[nearest_HW].astype(np.float32)


def nearest(on_HW: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) distance in pixels to the nearest True one, and which of all pixels, row by row, that is.

    Args:
        on_HW: bool, True somewhere.
    """
    kind = cv2.DIST_LABEL_PIXEL
    far_HW, label_HW = cv2.distanceTransformWithLabels((~on_HW).astype(np.uint8), cv2.DIST_L2, 5, labelType=kind)
    of_label = np.zeros(label_HW.max() + 1, np.int64)
    of_label[label_HW[on_HW]] = np.flatnonzero(on_HW)
    return far_HW, of_label[label_HW]
