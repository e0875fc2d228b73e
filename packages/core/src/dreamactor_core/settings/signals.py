"""How control signals are read from video."""

from typing import Literal

from pydantic import Field

from dreamactor_core.settings.base import Section


class SignalsSettings(Section):
    """Tracker choice and its knobs."""

    tracker: Literal["embedded"] = Field("embedded", description="Which estimator reads the video.")
    processes: int = Field(2, ge=1, description="Worker processes when many clips are tracked.")
    threads: int = Field(1, ge=1, description="Threads of each estimator.")
    min_score: float = Field(0.5, gt=0, lt=1, description="Score below which nothing counts as found.")
    field_of_view_deg: float = Field(
        55.0,
        gt=5,
        lt=150,
        description="Diagonal field of view assumed of every camera (55 = a 42 mm lens on full frame).",
    )
    smooth_image_s: float = Field(
        0.03, ge=0, description="Width (sigma) of the smoothing of image points and head turns."
    )
    smooth_depth_s: float = Field(0.1, ge=0, description="Width of the smoothing of depths along the body.")
    smooth_root_s: float = Field(0.4, ge=0, description="Width of the smoothing of the body's distance.")
    smooth_units_s: float = Field(
        0.06, ge=0, description="Width of the smoothing of expression flicker; blinks and closing lips stay as deep."
    )
    max_gap_s: float = Field(0.4, ge=0, description="Longest gap that is bridged; longer ones become invisible.")
