"""Which conditions each clip is shown (paper 4.1): dropped for guidance, and while the base warms up, more often."""

from collections.abc import Sequence

import numpy as np
import torch
from dreamactor_core.settings.training import ConditionWarmUpSettings
from dreamactor_dataset.sampling import Draw
from torch import Tensor


def shown_conditions(
    draws: Sequence[Draw], warm_up: ConditionWarmUpSettings, step: int, random: np.random.Generator
) -> dict[str, Tensor]:
    """Boolean masks (B,): which clips are shown their references, control maps and face tokens."""
    references = np.array([not draw.drop_reference for draw in draws])
    motion = np.array([not draw.drop_motion for draw in draws])
    shares = {"references": 1.0, "pose": 1.0, "face": 1.0}
    if step < warm_up.steps:
        shares = {"references": warm_up.reference, "pose": warm_up.pose, "face": warm_up.face}
    dropped = {"references": references, "pose": motion, "face": motion}
    return {
        f"keep_{name}_B": torch.from_numpy(dropped[name] & (random.random(len(draws)) < share))
        for name, share in shares.items()
    }
