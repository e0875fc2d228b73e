"""The running average of the weights, which samples better than the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from dreamactor_model.training.checkpoints.fragments import Fragment, HeldState


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
        """Inside, the module's parameters are the averages, whole on every rank; on all ranks at once."""
        learning = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
        held = {fragment.name: fragment for fragment in self._held.written}
        weights = [flat.clone() for flat in self._held.weights] if self._held.is_the_module else []
        with _whole(learning.values()):
            for name, parameter in learning.items():
                parameter.data.copy_(self._whole_average(held.get(name), parameter))
            yield
        for flat, kept in zip(self._held.weights if weights else (), weights, strict=True):
            flat.copy_(kept)
        self._held.publish()

    def _whole_average(self, held: Fragment | None, parameter: nn.Parameter) -> Tensor:
        """Put together from the ranks' fragments."""
        shape = getattr(parameter, "ds_shape", parameter.shape)
        whole = torch.zeros(shape.numel(), device=self._held.device)
        if held is not None:
            whole.narrow(0, held.start, held.count).copy_(held.of(self.flats))
        dist.all_reduce(whole)
        return whole.view(shape)


@contextmanager
def _whole(parameters: Any) -> Iterator[None]:
    """Under ZeRO 3 a parameter is whole only inside DeepSpeed's own context, which drops changes when it ends."""
    parted = [parameter for parameter in parameters if hasattr(parameter, "ds_id")]
    if not parted:
        yield
        return
    from deepspeed.runtime.zero import GatheredParameters

    with GatheredParameters(parted):
        yield
