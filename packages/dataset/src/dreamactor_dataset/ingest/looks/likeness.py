"""Do two looks show the same clip? They are laid over each other, then pictures and movements must agree.

That the pictures agree is not enough: two takes of one person in one studio look alike, but do not move alike.

Legend: K pictures of a clip, S their side in pixels.
"""

import cv2
import numpy as np

from dreamactor_dataset.ingest.looks.pictures import SIDE_PX, STILL, changes

_STEPS = 60
_PRECISION = 1e-4
# Smoothing before the fit: crops displace edges by a pixel or two.
_BLUR_PX = 5
# A fit that turns, shears or scales beyond this is no crop.
_MOST_CHANGE = 0.35
# Correlation of pictures in which nothing moves: there is nothing else to tell them apart.
_STILL_LIKENESS = 0.97


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """How much two (K, S, S) uint8 looks are one clip, in [0, 1]: the worse of two correlations.

    The first is that of the mean pictures, the second that of what changes against them. Of clips in which nothing
    moves the pictures alone are compared, and very strictly.
    """
    warp = _overlay(a.mean(axis=0), b.mean(axis=0))
    if warp is None:
        return 0.0
    valid = _warped(np.ones((SIDE_PX, SIDE_PX), np.float32), warp) > 0.99
    if valid.mean() < (1 - _MOST_CHANGE) ** 2:
        return 0.0
    moved = np.stack([_warped(picture.astype(np.float32), warp) for picture in b])[:, valid]
    fixed = a.astype(np.float32)[:, valid]
    pictures = _correlation(fixed.mean(axis=0), moved.mean(axis=0))
    movements = [changes(look) for look in (fixed, moved)]
    if all(np.sqrt((movement**2).mean()) < STILL for movement in movements):
        return pictures if pictures > _STILL_LIKENESS else 0.0
    return min(pictures, _correlation(*movements))


def _overlay(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """(2, 3) affine map that lays picture b over picture a; None where there is none that a crop would make."""
    warp = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _PRECISION)
    try:
        _, warp = cv2.findTransformECC(
            a.astype(np.float32), b.astype(np.float32), warp, cv2.MOTION_AFFINE, criteria, None, _BLUR_PX
        )
    except cv2.error:
        # It says so when pictures have nothing in common, or nothing at all in them.
        return None
    change = np.abs(warp[:, :2] - np.eye(2)).max()
    return warp if change < _MOST_CHANGE and np.abs(warp[:, 2]).max() < _MOST_CHANGE * SIDE_PX else None


def _warped(picture: np.ndarray, warp: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(picture, warp, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return max(0.0, float((a * b).sum()) / scale) if scale else 0.0
