"""Confidence intervals by bootstrap over clips: frames of one clip are not independent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

_MIDDLE = (2.5, 97.5)
_NORMAL_95 = 1.96


@dataclass(frozen=True)
class Figure:
    """One number of a report.

    Attributes:
        value: over all clips.
        low, high: its 95 % interval; the value itself where there are too few clips to tell.
        n: clips behind it.
        samples: frames or chunks behind the distance of two sets; None where a value of each clip is averaged.
        by_clip: that value, of each clip that has one.
    """

    value: float
    low: float
    high: float
    n: int
    samples: int | None = None
    by_clip: Mapping[str, float] = field(default_factory=dict)


def bootstrap_mean(by_clip: Mapping[str, float], *, resamples: int, seed: int) -> Figure:
    """The mean of clips' values and the middle 95 % of means of as many values drawn from them with replacement."""
    per_clip = np.array(list(by_clip.values()))
    random = np.random.default_rng(seed)
    picks = random.integers(len(per_clip), size=(resamples, len(per_clip)))
    low, high = np.percentile(per_clip[picks].mean(axis=1), _MIDDLE)
    return Figure(float(per_clip.mean()), float(low), float(high), len(per_clip), by_clip=by_clip)


def bootstrap_set(
    distance: Callable[[np.ndarray], float], clips: int, *, resamples: int, seed: int
) -> tuple[float, float, float]:
    """A distance of two sets of clips, and its 95 % interval: the value and 1.96 deviations to either side.

    The resampled distances tell the deviation alone: clips drawn twice make a set narrower, which by itself moves their
    mean away from the value. A deviation needs far fewer resamples than the ends of an interval, and each costs an
    eigendecomposition.

    Args:
        distance: of the clips (N,) int, which may repeat.
        clips: how many there are.
    """
    value = distance(np.arange(clips))
    random = np.random.default_rng(seed)
    drawn = [distance(random.integers(clips, size=clips)) for _ in range(resamples)]
    reach = _NORMAL_95 * float(np.std(drawn, ddof=1))
    return value, max(value - reach, 0.0), value + reach
