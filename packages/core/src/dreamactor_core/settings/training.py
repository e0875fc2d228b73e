"""How the stages are trained (paper 3.4, 4.1)."""

from pydantic import Field

from dreamactor_core.settings.base import Section


class TrainingSettings(Section):
    """All stages."""

    seed: int = Field(0, ge=0, description="Seed of everything random in training.")
    processes: int = Field(2, ge=1, description="Training processes on this node (ranks).")
