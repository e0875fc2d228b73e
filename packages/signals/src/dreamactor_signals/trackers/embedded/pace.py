"""How slowly each signal may change, in frames of the clip at hand."""

from dataclasses import dataclass
from fractions import Fraction

from dreamactor_core.settings.signals import SignalsSettings


@dataclass(frozen=True)
class Pace:
    """Widths of the Gaussians in time, and the longest gap that is bridged.

    Attributes:
        image: of what is seen in the image plane, and of the head's turn.
        depth: of depths along the body and of the head's distance, which are less certain.
        root: of the body's distance, which no single frame tells well.
        units: of the flicker of expression units.
        max_gap: in frames.
    """

    image: float
    depth: float
    root: float
    units: float
    max_gap: int

    @classmethod
    def of(cls, settings: SignalsSettings, fps: Fraction) -> "Pace":
        """The settings' seconds in frames."""
        rate = float(fps)
        return cls(
            image=settings.smooth_image_s * rate,
            depth=settings.smooth_depth_s * rate,
            root=settings.smooth_root_s * rate,
            units=settings.smooth_units_s * rate,
            max_gap=round(settings.max_gap_s * rate),
        )
