"""How control signals are read from video."""

from typing import Literal

from pydantic import Field

from dreamactor_core.settings.base import Section


class SignalsSettings(Section):
    """Tracker choice and its knobs."""

    tracker: Literal["embedded"] = Field("embedded", description="Which estimator reads the video.")
    processes: int = Field(2, ge=1, description="Worker processes when many clips are tracked.")
    threads: int = Field(1, ge=1, description="Threads of each estimator.")
