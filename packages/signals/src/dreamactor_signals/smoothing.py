"""Zero-phase smoothing and gap filling over a whole clip. Never used on face units or pixels: it would blur blinks.

Legend: T video frames; every array is (T, ...) with weights (T, ...) that broadcast over its last axes.
"""

from itertools import pairwise

import numpy as np

from dreamactor_signals.rotations import nearest_rotation


def fill_gaps(values: np.ndarray, confidence: np.ndarray, max_gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Bridge short gaps by straight lines; what stays missing becomes zero with confidence 0.

    Args:
        values: (T, ...) of one thing; anything where confidence is 0.
        confidence: (T,), 0 where it was not seen.
        max_gap: longest run of frames that is bridged. Nothing is added before the first or after the last sighting.

    Returns:
        The values, and confidences that are halved across a bridge.
    """
    seen = np.flatnonzero(confidence > 0)
    filled = np.zeros_like(values, dtype=np.float64)
    trust = np.zeros(len(values))
    filled[seen], trust[seen] = values[seen], confidence[seen]
    for before, after in pairwise(seen):
        if 1 < after - before <= max_gap + 1:
            share = (np.arange(before + 1, after) - before) / (after - before)
            along = share.reshape(-1, *[1] * (values.ndim - 1))
            filled[before + 1 : after] = (1 - along) * values[before] + along * values[after]
            trust[before + 1 : after] = 0.5 * ((1 - share) * confidence[before] + share * confidence[after])
    return filled, trust


def smooth(values: np.ndarray, weights: np.ndarray, sigma_frames: float) -> np.ndarray:
    """Gaussian average over time, weighted by confidence: symmetric in time, so nothing lags.

    Args:
        values: (T, ...).
        weights: (T, ...) of the leading axes of `values`; frames of weight 0 neither give nor take.
        sigma_frames: 0 leaves the values as they are.

    Returns:
        (T, ...) float64.
    """
    from scipy.ndimage import gaussian_filter1d

    values = np.asarray(values, dtype=np.float64)
    if sigma_frames <= 0:
        return values.copy()
    spread = np.asarray(weights, dtype=np.float64).reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    total = gaussian_filter1d(np.broadcast_to(spread, values.shape), sigma_frames, axis=0, mode="constant")
    weighted = gaussian_filter1d(values * spread, sigma_frames, axis=0, mode="constant")
    averaged = weighted / np.maximum(total, 1e-12)
    return np.where(np.broadcast_to(spread, values.shape) > 0, averaged, values)


def smooth_rotations(rotations: np.ndarray, weights: np.ndarray, sigma_frames: float) -> np.ndarray:
    """The same for (T, 3, 3) rotations: the rotation nearest to the averaged matrices."""
    return nearest_rotation(smooth(rotations, weights, sigma_frames))
