"""A stage's objective under a plain loop, without DeepSpeed: for what a benchmark trains on the way to its figures."""

from collections.abc import Callable

import torch
from dreamactor_core.settings.training import StageSettings
from dreamactor_model.training.run.schedule import learning_rate_share
from dreamactor_model.training.task import Batch
from torch import nn


def descend(
    module: nn.Module,
    batch: Callable[[int], Batch],
    row: StageSettings,
    *,
    fused: bool = False,
    after_step: Callable[[int], None] = lambda _: None,
) -> None:
    """Take the row's steps, each on the batch of its number.

    Args:
        after_step: told how many steps have been taken.
    """
    optimizer = torch.optim.AdamW(module.parameters(), lr=row.learning_rate, betas=(0.9, 0.95), fused=fused)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_share(step, row))
    for step in range(row.steps):
        optimizer.zero_grad()
        module(**batch(step))["loss"].backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        after_step(step + 1)
