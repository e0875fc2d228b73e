"""Measures against the settings' limits: every refusal says what was measured and what was asked."""

from collections.abc import Callable
from dataclasses import dataclass

from dreamactor_core.settings.curate import CurateSettings

from dreamactor_dataset.curate.measures import Measures


@dataclass(frozen=True)
class Limit:
    """A bound on one measure.

    Attributes:
        setting: its name in `CurateSettings`; it begins with min_ or max_.
        measure: its name in `Measures`.
        refusal: what a clip beyond it is called.
        show: a value as text.
    """

    setting: str
    measure: str
    refusal: str
    show: Callable[[float], str]

    def reason(self, measures: Measures, settings: CurateSettings) -> str | None:
        """Why a clip is refused by it, or None."""
        bound, value = getattr(settings, self.setting), getattr(measures, self.measure)
        if bound is None or value is None:
            return None
        if self.setting.startswith("min_"):
            return f"{self.refusal}: {self.show(value)}, at least {self.show(bound)}" if value < bound else None
        return f"{self.refusal}: {self.show(value)}, at most {self.show(bound)}" if value > bound else None


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"


def _with_unit(unit: str) -> Callable[[float], str]:
    return lambda value: f"{value:.3g}{unit}"


LIMITS = (
    Limit("max_people", "people", "too many people", _with_unit("")),
    Limit("min_seen_share", "seen_share", "person often not seen", _percent),
    Limit("min_person_share", "person_share", "person too small", _percent),
    Limit("min_face_px", "face_px", "face too small", _with_unit(" px")),
    Limit("min_sharpness", "sharpness", "blurred", _with_unit("")),
    Limit("max_occlusion", "occlusion", "face hidden", _percent),
    Limit("min_motion_m_s", "motion_m_s", "nothing moves", _with_unit(" m/s")),
    Limit("max_motion_m_s", "motion_m_s", "moves too fast", _with_unit(" m/s")),
    Limit("min_yaw_range_deg", "yaw_range_deg", "head hardly turns", _with_unit(" degrees")),
    Limit("max_text_share", "text_share", "text over the picture", _percent),
    Limit("min_duration_s", "duration_s", "too short", _with_unit(" s")),
)


def refusal(measures: Measures, settings: CurateSettings) -> str | None:
    """All reasons why a clip is refused, the first limits first; None if it is good enough."""
    reasons = [reason for limit in LIMITS if (reason := limit.reason(measures, settings)) is not None]
    return "; ".join(reasons) or None
