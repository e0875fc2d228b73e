"""What came of a suite: videos, figures, and what could not be had.

Legend: T video frames, H W canvas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dreamactor_model.evaluation.confidence import Figure
from dreamactor_model.evaluation.suites.scenes import Scene
from dreamactor_model.evaluation.suites.table import MODEL, Suite

COPY, WARP = "copy_reference", "warp"
BASELINES: Mapping[str, str] = {
    COPY: "baseline: the reference stands still",
    WARP: "baseline: the reference, cut at its joints, moves with the driving joints; nothing is learned",
}
ORDER_METRIC = "pose_error"
_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Outcome:
    """One suite, done.

    Attributes:
        scenes: in order.
        videos: of each contender, baselines first, a video (T, H, W, 3) uint8 a scene.
        figures: of each contender, by metric.
        unavailable: metrics without figures, and why.
        not_run: variants that could not compete, and why.
        protocol: how all of it was made.
    """

    suite: Suite
    scenes: Sequence[Scene]
    videos: Mapping[str, Sequence[np.ndarray]]
    figures: Mapping[str, Mapping[str, Figure]]
    unavailable: Mapping[str, str]
    not_run: Mapping[str, str]
    protocol: Mapping[str, Any]

    @property
    def about(self) -> dict[str, str]:
        """What each contender does, those that could not run too."""
        return {**BASELINES, **{variant.name: variant.about for variant in self.suite.variants}}

    @property
    def lead(self) -> str | None:
        """The contender that the suite is about: the first variant that ran."""
        return next((variant.name for variant in self.suite.variants if variant.name in self.videos), None)

    def ordering(self) -> dict[str, Any]:
        """Whether moving the picture beats a still, and the model beats both: pose errors, in the order hoped for.

        Returns:
            `errors` of those that have one, and `holds`: None where one of the three has none.
        """
        three = (COPY, WARP, self.lead or MODEL.name)
        found = {name: self.figures.get(name, {}).get(ORDER_METRIC) for name in three}
        errors = {name: figure.value for name, figure in found.items() if figure is not None}
        values = list(errors.values())
        holds = values[0] > values[1] > values[2] if len(values) == len(three) else None
        missing = [name for name in three if name not in errors]
        return {"metric": ORDER_METRIC, "errors": _rounded(errors), "missing": missing, "holds": holds}

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds."""
        return {
            "suite": self.suite.name,
            "variants": {
                name: {metric: _rounded(_whole(figure)) for metric, figure in figures.items()}
                for name, figures in self.figures.items()
            },
            "unavailable": dict(self.unavailable),
            "not_run": dict(self.not_run),
            "ordering": self.ordering(),
        }

    def by_clip(self) -> dict[str, Any]:
        """What clips.json holds: by contender and metric, the value of each clip that has one."""
        return {
            name: {metric: _rounded(figure.by_clip) for metric, figure in figures.items() if figure.by_clip}
            for name, figures in self.figures.items()
        }

    def flat(self) -> dict[str, float]:
        """For MLflow: METRIC, METRIC_low, METRIC_high of the model; with the contender's name before it of others."""
        values: dict[str, float] = {}
        for name, figures in self.figures.items():
            prefix = "" if name == MODEL.name else f"{name}_"
            for metric, figure in figures.items():
                values[f"{prefix}{metric}"] = figure.value
                values |= {f"{prefix}{metric}_low": figure.low, f"{prefix}{metric}_high": figure.high}
        return values


def _whole(figure: Figure) -> dict[str, Any]:
    """A figure of all clips."""
    return {name: value for name, value in vars(figure).items() if name != "by_clip"}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without digits that mean nothing, and without what is not there."""
    return {
        name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
        for name, value in values.items()
        if value is not None
    }
