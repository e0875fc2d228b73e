"""How a video is sampled from the model (paper 3.3, 4.1)."""

from typing import Literal

from pydantic import Field, field_validator

from dreamactor_core.settings.base import Section


class SamplingSettings(Section):
    """One inference."""

    steps: int | None = Field(None, ge=1, description="Solver steps; if not said what the weights came with, or 20.")
    guidance_reference: float | None = Field(
        None, ge=0, description="Guidance scale of the references; if not said what the weights came with, or 2.5."
    )
    guidance_motion: float | None = Field(
        None, ge=0, description="Guidance scale of the motion; if not said what the weights came with, or 2.5."
    )
    guidance_interval: tuple[float, float] = Field(
        (0.0, 1.0),
        description="Noise levels, lowest and highest, at which there is guidance; elsewhere its scales are 1.",
    )
    shift: float = Field(3.0, gt=0, description="Timestep shift: larger spends more steps on noise.")
    segment_frames: int = Field(
        73, ge=5, description="Frames of one segment, 4n+1; never more than the model was trained on."
    )
    solver: Literal["euler", "unipc"] = Field(
        "euler", description="Solver of the flow: euler, or unipc, of second order, for few steps."
    )
    seed: int = Field(0, ge=0, description="Equal seeds give equal videos on the CPU.")
    max_frames: int | None = Field(None, ge=1, description="Stop after this many driving frames.")
    max_references: int | None = Field(
        None, ge=1, description="Most references, given and made; as many as the model was trained with if not said."
    )
    view_yaw_deg: float = Field(
        60.0, gt=0, le=90, description="How far the person turns to each side in the first pass of --two-stage."
    )
    guidance_every: int = Field(
        1, ge=1, description="Approximation: full guidance at every Nth step, its last difference in between; 1: exact."
    )
    step_cache_threshold: float = Field(
        0.0, ge=0, description="Approximation: skip the blocks until their input has changed by this share; 0: exact."
    )

    @field_validator("guidance_interval")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= value[0] <= value[1] <= 1:
            raise ValueError("must be two noise levels, 0 <= lowest <= highest <= 1")
        return value
