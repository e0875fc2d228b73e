"""Confidence intervals by bootstrap over clips: frames of one clip are not independent."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean over clips with its 95 % interval; with one clip the interval is the mean itself."""

    mean: float
    low: float
    high: float


def bootstrap_mean(per_clip: np.ndarray, *, resamples: int, seed: int) -> Estimate:
    """The mean of per-clip values (N,) and the middle 95 % of means of N values drawn from them with replacement."""
    random = np.random.default_rng(seed)
    picks = random.integers(len(per_clip), size=(resamples, len(per_clip)))
    low, high = np.percentile(per_clip[picks].mean(axis=1), [2.5, 97.5])
    return Estimate(float(per_clip.mean()), float(low), float(high))
