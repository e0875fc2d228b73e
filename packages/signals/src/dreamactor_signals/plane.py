"""The picture's plane: where its pixels are, and maps of it as matrices.

Legend: H W rows and columns.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack

_HALF = np.array([0.5, 0.5])


def pixel_centers(shape: tuple[int, ...]) -> np.ndarray:
    """(H, W, 2) x and y of every pixel's centre; the frame's corner is 0, 0."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.stack([columns, rows], axis=-1) + 0.5


def to_pixels(track: MotionTrack) -> np.ndarray:
    """(3, 3) from the image plane (`MotionTrack.scenery_motion`) to the track's pixels."""
    matrix = np.diag([track.focal_px, track.focal_px, 1.0])
    matrix[:2, 2] = track.principal_px
    return matrix


def squared(similarity: np.ndarray) -> np.ndarray:
    """(..., 2, 3) to (..., 3, 3) float64."""
    last = np.broadcast_to(np.array([0.0, 0.0, 1.0]), (*similarity.shape[:-2], 1, 3))
    return np.concatenate([similarity, last], axis=-2)


def between_centers(matrix: np.ndarray) -> np.ndarray:
    """(2, 3) of a (3, 3) map of pixels, for who counts them from the centre of the first one, as OpenCV does."""
    counted = matrix[:2].copy()
    counted[:, 2] += counted[:, :2] @ _HALF - _HALF
    return counted
