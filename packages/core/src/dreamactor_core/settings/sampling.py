"""How a video is sampled from the model (paper 4.1)."""

from typing import Literal

from pydantic import Field

from dreamactor_core.settings.base import Section


class SamplingSettings(Section):
    """One inference."""

    steps: int = Field(20, ge=1, description="Solver steps.")
    guidance_reference: float = Field(2.5, ge=0, description="Guidance scale of the reference images.")
    guidance_motion: float = Field(2.5, ge=0, description="Guidance scale of the motion signals.")
    shift: float = Field(3.0, gt=0, description="Timestep shift: larger spends more steps on noise.")
    segment_frames: int = Field(73, ge=5, description="Frames of one segment, 4n+1.")
    solver: Literal["euler"] = Field("euler", description="Solver of the flow.")
    seed: int = Field(0, ge=0, description="Equal seeds give equal videos on the CPU.")
    max_frames: int | None = Field(None, ge=1, description="Stop after this many driving frames.")
