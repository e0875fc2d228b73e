"""What a metric is, and the two ways to make a figure of many clips: a mean, and a distance of two sets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from dreamactor_core.settings import Settings
from dreamactor_core.settings.evaluation import HIGHER_IS_BETTER, MetricName

from dreamactor_model.evaluation.confidence import Figure, bootstrap_mean, bootstrap_set
from dreamactor_model.evaluation.metrics.sets.frechet import frechet_distance
from dreamactor_model.evaluation.observed import Observed
from dreamactor_model.evaluation.unavailable import Unavailable

Measured = Callable[[Sequence[Observed], Settings], Figure]
FEWEST_CLIPS, SET_RESAMPLES = 8, 100
"""Clips from which a distance of sets has an interval, and how often they are drawn for it."""


@dataclass(frozen=True)
class Metric:
    """One kind of number, by one stated protocol.

    Attributes:
        name: in metrics.json.
        unit: of the value, its interval and of what `promote` allows to be lost.
        protocol: how it is made, so that another program could make it.
        figure: of all cases.
        network_sha256: of the weights of the network that looks; None where there is none, or where settings name it.
        network_of: that, by the settings.
    """

    name: MetricName
    unit: str
    protocol: str
    figure: Measured = field(repr=False, compare=False)
    network_sha256: str | None = None
    network_of: Callable[[Settings], str | None] | None = field(default=None, repr=False, compare=False)

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is better."""
        return HIGHER_IS_BETTER[self.name]

    def weights_sha256(self, settings: Settings) -> str | None:
        """Of the network that looks under these settings."""
        return self.network_sha256 if self.network_of is None else self.network_of(settings)


def mean_over_clips(read: Callable[[Observed, Settings], float | None], *, otherwise: str) -> Measured:
    """The mean of a value that a clip has by itself.

    Args:
        read: a clip's value, None where it has none.
        otherwise: why there is no figure where no clip has one.
    """

    def figure(observed: Sequence[Observed], settings: Settings) -> Figure:
        values = {each.case.clip_id: value for each in observed if (value := read(each, settings)) is not None}
        if not values:
            raise Unavailable(otherwise)
        return bootstrap_mean(values, resamples=settings.evaluation.resamples, seed=settings.training.seed)

    return figure


def distance_to_truth(features: Callable[[np.ndarray, Settings], np.ndarray], *, width: int) -> Measured:
    """The Frechet distance of the results' features, pooled over all clips, to those of the truths.

    Args:
        features: (N, C) of one clip (T, H, W, 3); a network sees every clip once, resampling only draws features.
        width: C. Fewer samples than that leave a covariance singular.
    """

    def figure(observed: Sequence[Observed], settings: Settings) -> Figure:
        pairs = [(each.case.result_THWC, each.case.truth_THWC) for each in observed if each.case.truth_THWC is not None]
        if not pairs:
            raise Unavailable("no clip has a truth to be compared with")
        made = [features(result, settings) for result, _ in pairs]
        truth = [features(frames, settings) for _, frames in pairs]
        samples = sum(map(len, truth))
        if samples < (2 if settings.evaluation.few_samples else width):
            raise Unavailable(
                f"{samples} samples for features of {width} numbers, so that covariances are singular; measure more "
                "clips, or ask for it all the same by evaluation.few_samples"
            )

        def distance(clips: np.ndarray) -> float:
            return frechet_distance(np.concatenate([made[i] for i in clips]), np.concatenate([truth[i] for i in clips]))

        if len(pairs) < FEWEST_CLIPS:
            value = distance(np.arange(len(pairs)))
            return Figure(value, value, value, len(pairs), samples)
        value, low, high = bootstrap_set(distance, len(pairs), resamples=SET_RESAMPLES, seed=settings.training.seed)
        return Figure(value, low, high, len(pairs), samples)

    return figure
