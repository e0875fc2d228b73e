"""How a checkpoint is judged and promoted."""

from pydantic import Field

from dreamactor_core.settings.base import Section


class EvaluationSettings(Section):
    """Held-out clips and the rule of promotion."""

    clips: int = Field(4, ge=1, description="Held-out clips that are animated and measured.")
    steps: int = Field(10, ge=1, description="Solver steps while evaluating.")
