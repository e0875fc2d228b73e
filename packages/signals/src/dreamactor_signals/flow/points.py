"""Points of one frame, found again in the next (Lucas-Kanade, both ways).

Legend: N points, H W rows and columns.
"""

import cv2
import numpy as np

_COUNT, _QUALITY = 300, 0.001
_LEVELS = 3
_PRECISION = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 30, 0.005)
# A point that does not come back to where it set out was not followed.
_RETURN_PX = 0.3


def follow(
    before_HW: np.ndarray, after_HW: np.ndarray, mask_HW: np.ndarray, window_px: int, spacing_px: float = 6.0
) -> tuple[np.ndarray, np.ndarray]:
    """Points of the masked part of one grey frame, and where the next frame has them.

    Args:
        before_HW, after_HW: uint8.
        mask_HW: bool, where points are looked for.
        window_px: side of the window that is compared; soft textures need a wide one.
        spacing_px: least distance between points.

    Returns:
        (N, 2) float64 twice, x and y, counted from the frame's corner.
    """
    found = cv2.goodFeaturesToTrack(before_HW, _COUNT, _QUALITY, spacing_px, mask=mask_HW.astype(np.uint8))
    if found is None:
        return np.zeros((0, 2)), np.zeros((0, 2))
    moved, went = _moved(before_HW, after_HW, found, window_px)
    back, came = _moved(after_HW, before_HW, moved, window_px)
    held = went & came & (np.linalg.norm((found - back)[:, 0], axis=1) < _RETURN_PX)
    # Pixels are counted from the centre of the first one there.
    return found[held, 0].astype(np.float64) + 0.5, moved[held, 0].astype(np.float64) + 0.5


def _moved(
    before_HW: np.ndarray, after_HW: np.ndarray, points_N12: np.ndarray, window_px: int
) -> tuple[np.ndarray, np.ndarray]:
    moved_N12, status_N1, _ = cv2.calcOpticalFlowPyrLK(
        before_HW,
        after_HW,
        points_N12,
        None,
        winSize=(window_px, window_px),
        maxLevel=_LEVELS,
        criteria=_PRECISION,
        minEigThreshold=1e-6,
    )
    return moved_N12, status_N1[:, 0] == 1
