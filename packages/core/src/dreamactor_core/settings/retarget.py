"""How one person's performance is carried over to another's body."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from dreamactor_core.settings.base import Section

Part = Literal["face", "head", "body", "hands"]
PARTS: tuple[Part, ...] = ("face", "head", "body", "hands")
HEAD_SCALES = ("head", "neck")
"""Scales that are not of bones: the skull's size, and how far it stands from the base of the neck."""


class RetargetSettings(Section):
    """What is transferred, and how the reference's body differs from what was measured."""

    transfer: tuple[Part, ...] = Field(
        PARTS,
        description="What the driving person moves, of face,head,body,hands; the rest keeps the reference's pose.",
    )
    bone_scale: dict[str, float] = Field(
        {}, description="Factors on the reference's bones, NAME=FACTOR, e.g. upper_arm=1.2 or left_thigh=0.9."
    )
    pose_standardizer: str | None = Field(
        None,
        description="MODULE:NAME of an image editor that shows a person in an A-pose, to measure bones on; none: off.",
    )

    @field_validator("transfer", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("transfer")
    @classmethod
    def _in_order(cls, value: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(part for part in PARTS if part in value)

    @field_validator("bone_scale", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return value
        pairs = [str(pair).partition("=") for pair in value]
        for name, sign, factor in pairs:
            if not (sign and factor):
                raise ValueError(f"{name!r} is not NAME=FACTOR")
        return {name.strip(): factor for name, _, factor in pairs}

    @field_validator("bone_scale")
    @classmethod
    def _known_and_positive(cls, value: dict[str, float]) -> dict[str, float]:
        if not value:
            return value
        # The table is of arrays, and every `--help` loads the settings: numpy only where there is a name to check.
        from dreamactor_core.skeleton import LIMB_BONES

        for name, factor in value.items():
            if name not in LIMB_BONES and name not in HEAD_SCALES:
                raise ValueError(f"no bone {name!r}; known: {', '.join((*LIMB_BONES, *HEAD_SCALES))}")
            if not 0.1 <= factor <= 10:
                raise ValueError(f"{name}={factor} is not between 0.1 and 10")
        return value
