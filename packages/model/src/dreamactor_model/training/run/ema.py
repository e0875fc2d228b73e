"""The running average of the weights, which samples better than the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dreamactor_model.training.checkpoints.fragments import HeldState


class WeightAverage:
    """Exponential moving average of the fp32 weights that learn; each rank averages those it holds.

    The decay rises from 0 with the step count, so that a short training is not dominated by where it started.
    """

    def __init__(self, held: HeldState, decay: float) -> None:
        self._held, self._decay = held, decay
        self.flats: list[Tensor] = [flat.clone() for flat in held.weights]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimizer step number `step` (from 1)."""
        decay = min(self._decay, step / (step + 9))
        torch._foreach_lerp_(self.flats, self._held.weights, 1 - decay)

    @contextmanager
    def in_place_of_weights(self, module: nn.Module) -> Iterator[None]:
        """Inside, the module computes with the averages, and its parameters are whole on every rank; on all at once."""
        weights = [flat.clone() for flat in self._held.weights]
        self._publish(self.flats)
        with _whole(module):
            yield
        self._publish(weights)

    @torch.no_grad()
    def _publish(self, flats: list[Tensor]) -> None:
        for held, flat in zip(self._held.weights, flats, strict=True):
            held.copy_(flat)
        self._held.publish()


@contextmanager
def _whole(module: nn.Module) -> Iterator[None]:
    """Under ZeRO 3 parameters, frozen ones too, are whole in DeepSpeed's context alone, or while a module computes."""
    parted = [parameter for parameter in module.parameters() if hasattr(parameter, "ds_id")]
    if not parted:
        yield
        return
    from deepspeed.runtime.zero import GatheredParameters

    with GatheredParameters(parted):
        yield
