"""Zero-phase smoothing and gap filling over a whole clip.

Face units go through `smooth_flicker` alone, pixels through nothing: any plain average would blur blinks.

Legend: T video frames; every array is (T, ...) with weights (T, ...) that broadcast over its last axes.
"""

from itertools import pairwise

import numpy as np

from dreamactor_signals.rotations import nearest_rotation

# Values count as alike up to this many times the noise.
_LIKE = 2.5
_LEAST_NOISE = 1e-6
# Of a normal distribution, from the median of absolute values.
_MEDIAN_TO_SIGMA = 1.4826


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


def smooth_flicker(values: np.ndarray, weights: np.ndarray, sigma_frames: float, most_noise: float) -> np.ndarray:
    """Average over time only what differs no more than noise does: flicker goes, a blink keeps its depth and edges.

    A bilateral filter along time, of zero phase. How much each channel flickers is measured on the clip itself, from
    second differences, of which most frames of a real performance hold nothing else.

    Args:
        values: (T, C).
        weights: (T,) confidences; frames of weight 0 neither give nor take.
        sigma_frames: 0 leaves the values as they are.
        most_noise: no channel is taken to flicker more than this, however lively it is.

    Returns:
        (T, C) float64.
    """
    values = np.asarray(values, dtype=np.float64)
    count = len(values)
    if sigma_frames <= 0 or count < 3:
        return values.copy()
    noise = np.minimum(_noise(values, weights), most_noise)
    total, weighted = np.zeros_like(values), np.zeros_like(values)
    reach = min(int(np.ceil(3 * sigma_frames)), count - 1)
    for step in range(-reach, reach + 1):
        here = slice(max(0, -step), min(count, count - step))
        there = slice(max(0, step), min(count, count + step))
        nearness = np.exp(-0.5 * (step / sigma_frames) ** 2) * weights[there, None]
        likeness = np.exp(-0.5 * ((values[there] - values[here]) / (_LIKE * noise)) ** 2)
        total[here] += nearness * likeness
        weighted[here] += nearness * likeness * values[there]
    averaged = weighted / np.maximum(total, 1e-12)
    return np.where((weights > 0)[:, None], averaged, values)


def _noise(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(C,) standard deviation of white noise whose second differences are as large as the median one."""
    seen = (weights[2:] > 0) & (weights[1:-1] > 0) & (weights[:-2] > 0)
    if not seen.any():
        return np.full(values.shape[1], _LEAST_NOISE)
    bends = np.abs(np.diff(values, 2, axis=0)[seen])
    return np.maximum(np.median(bends, axis=0) * _MEDIAN_TO_SIGMA / np.sqrt(6), _LEAST_NOISE)
