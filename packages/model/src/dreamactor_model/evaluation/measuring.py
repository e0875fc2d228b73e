"""From animated clips to figures: every metric, its interval, or why it cannot be had."""

from collections.abc import Sequence
from contextlib import suppress

from dreamactor_core.errors import TrackerError, WeightsError
from dreamactor_core.settings import Settings

from dreamactor_model.evaluation.case import Case
from dreamactor_model.evaluation.confidence import Figure
from dreamactor_model.evaluation.eyes import eyes_of
from dreamactor_model.evaluation.metrics.metric import FEWEST_CLIPS, SET_RESAMPLES, Metric
from dreamactor_model.evaluation.metrics.table import METRICS
from dreamactor_model.evaluation.observed import Observed
from dreamactor_model.evaluation.unavailable import Unavailable

__all__ = ["METRICS", "Case", "Figure", "Metric", "Unavailable", "describe", "measure"]


def measure(cases: Sequence[Case], settings: Settings) -> tuple[dict[str, Figure], dict[str, str]]:
    """Measure what a model (or a baseline) made of some clips.

    Args:
        cases: one each, of different names.
        settings: `evaluation`, and `signals` for the tracker that looks at the results.

    Returns:
        Figures by the names in `METRICS`, and for the other names why there is no figure.

    Raises:
        ValueError: two cases have one name.
    """
    if len({case.clip_id for case in cases}) < len(cases):
        raise ValueError("two cases have one name: their values could not be told apart")
    eyes = eyes_of(settings.signals)
    with suppress(WeightsError, TrackerError):  # Who asks for a track is told what is missing.
        eyes.look_ahead([case.result_THWC for case in cases], [case.driving.fps for case in cases])
    observed = [Observed(case, eyes) for case in cases]
    figures: dict[str, Figure] = {}
    reasons: dict[str, str] = {}
    for name, metric in METRICS.items():
        try:
            figures[name] = metric.figure(observed, settings)
        except Unavailable as unavailable:
            reasons[name] = unavailable.reason
        except (WeightsError, TrackerError) as problem:
            reasons[name] = str(problem)
    return figures, reasons


def describe(cases: Sequence[Case], settings: Settings) -> dict[str, object]:
    """What stands beside the figures: each metric's protocol and network, and what was measured."""
    return {
        "metrics": {
            name: {
                "unit": metric.unit,
                "higher_is_better": metric.higher_is_better,
                "protocol": metric.protocol,
                "network_sha256": metric.weights_sha256(settings),
            }
            for name, metric in METRICS.items()
        },
        "tracker": settings.signals.tracker,
        "interval": (
            f"95 %, bootstrap over clips: of means {settings.evaluation.resamples} resamples and their percentiles; of "
            f"distances of sets, from {FEWEST_CLIPS} clips, 1.96 deviations of {SET_RESAMPLES} resamples"
        ),
        "clips": {case.clip_id: list(case.result_THWC.shape[:3]) for case in cases},
        "clip_shape": ["frames", "height", "width"],
        "measured_frames": sum(len(case.result_THWC) for case in cases),
    }
