"""The running average of the weights, which samples better than the weights themselves."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of the parameters that learn, in float32.

    The decay rises from 0 with the step count, so that a short training is not dominated by where it started.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._decay = decay
        self._average = {
            name: parameter.detach().clone().float()
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        }

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the weights after optimizer step number `step` (from 1)."""
        decay = min(self._decay, step / (step + 9))
        current = dict(module.named_parameters())
        averages = list(self._average.values())
        weights = [current[name].detach().float() for name in self._average]
        torch._foreach_lerp_(averages, weights, 1 - decay)

    def state(self) -> dict[str, Tensor]:
        """Averages by parameter name."""
        return dict(self._average)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a saved state; names must be those that learn."""
        if state.keys() != self._average.keys():
            raise ValueError("the saved average is of other parameters")
        for name, value in state.items():
            self._average[name].copy_(value)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Put the averages in the place of the weights."""
        current = dict(module.named_parameters())
        for name, value in self._average.items():
            current[name].copy_(value)
