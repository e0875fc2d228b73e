"""The learning rate over a stage: linear warm-up, then a half cosine."""

import math

from dreamactor_core.settings.training import StageSettings


def learning_rate_share(step: int, row: StageSettings) -> float:
    """Share of the peak learning rate at a step counted from 0."""
    if step < row.warmup_steps:
        return (step + 1) / (row.warmup_steps + 1)
    progress = (step - row.warmup_steps) / max(1, row.steps - row.warmup_steps)
    cosine = (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    return row.final_learning_rate + (1 - row.final_learning_rate) * cosine
