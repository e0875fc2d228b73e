"""Statistics over a clip that a few bad frames cannot move, and paths without holes.

Legend: T video frames.
"""

import numpy as np


def weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted median of (T, ...) values over T, 0 where all weights are 0.

    Where half of the weight lies on either side exactly, the mean of the two middle values.

    Args:
        values: (T, ...).
        weights: of the same shape, not negative.

    Returns:
        (...) float64.
    """
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values.astype(np.float64), order, axis=0)
    share = np.cumsum(np.take_along_axis(weights.astype(np.float64), order, axis=0), axis=0)
    half = share[-1:] / 2
    # A hair of slack, so that equal weights count as equal after summation.
    lower = np.argmax(share >= half * (1 - 1e-9), axis=0)[None]
    upper = np.argmax(share > half * (1 + 1e-9), axis=0)[None]
    middle = (np.take_along_axis(ordered, lower, axis=0) + np.take_along_axis(ordered, upper, axis=0))[0] / 2
    return np.where(share[-1] > 0, middle, 0.0)


def median_point(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(3,) weighted median, axis by axis, of points (T, 3) with weights (T,)."""
    return weighted_median(points, np.broadcast_to(weights[:, None], points.shape))


def bridge(points: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Points (T, 3) with the frames that lack one filled by straight lines in time, by the nearest one at the ends.

    Args:
        points: (T, 3).
        present: (T,) bool, True somewhere.
    """
    frames, known = np.arange(len(points)), np.flatnonzero(present)
    return np.stack([np.interp(frames, known, points[known, axis]) for axis in range(points.shape[1])], axis=1)
