"""The part of the learning state that a rank holds, whatever the ZeRO stage.

DeepSpeed cuts the fp32 weights and AdamW's moments into one flat tensor a rank (or several). Here every parameter's
piece of it has an address in that parameter, so that what N ranks wrote M ranks can read, under any ZeRO stage.

Legend: everything is one-dimensional and in float32; a flat tensor may end in padding that belongs to no parameter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from dreamactor_core.errors import TrainingError
from torch import Tensor

MOMENTS = ("exp_avg", "exp_avg_sq")
"""AdamW's names of its two moments."""


@dataclass(frozen=True, eq=False)
class Fragment:
    """A run of elements of one parameter.

    Attributes:
        name: of the parameter in the module.
        total: elements of the whole parameter.
        start: of the first element in the flattened parameter.
        count: elements.
        flat: number of the flat tensor that holds it.
        offset: of the first element in that flat tensor.
    """

    name: str
    total: int
    start: int
    count: int
    flat: int
    offset: int

    def of(self, flats: list[Tensor]) -> Tensor:
        """Its elements in one of the lists of flat tensors."""
        return flats[self.flat].view(-1).narrow(0, self.offset, self.count)


class HeldState:
    """The flat fp32 weights of this rank, AdamW's moments of them, and where each parameter lies.

    Args:
        engine: DeepSpeed's, over a torch optimizer.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._optimizer: torch.optim.Optimizer = engine.basic_optimizer
        self._stage = int(engine.zero_optimization_stage())
        self.device = engine.device
        self.weights = [flat.detach() for flat in self._keys()]
        self.fragments = tuple(self._find_fragments())

    @property
    def written(self) -> tuple[Fragment, ...]:
        """The fragments this rank saves: without ZeRO all ranks hold the same, and share the work."""
        if self._stage > 0:
            return self.fragments
        return self.fragments[dist.get_rank() :: dist.get_world_size()]

    @property
    def steps(self) -> int:
        """Optimizer steps taken."""
        return int(self._engine.global_steps)

    def moments(self, name: str) -> list[Tensor]:
        """One of AdamW's moments, of each flat tensor. Zero before the first step."""
        return [self._state(key)[name] for key in self._keys()]

    def restore_steps(self, steps: int) -> None:
        """Let the optimizer count on from there; its moments become zeros, to be filled."""
        for key in self._keys():
            state = self._optimizer.state[key]
            state["step"] = torch.tensor(float(steps), device=key.device if self._on_device(key) else "cpu")
            for name in MOMENTS:
                state[name] = torch.zeros_like(key)
        self._engine.global_steps = steps

    @torch.no_grad()
    def publish(self) -> None:
        """Make the module compute with the fp32 weights, after they were filled; on all ranks."""
        optimizer = self._engine.optimizer
        if self._stage in (1, 2):
            optimizer.update_lp_params()
        if self._stage == 3:
            for group in range(len(optimizer.fp16_groups)):
                optimizer._reassign_or_swap_out_partitioned_parameters(group)
            # Small parameters stay whole on every rank; they must be whole of the new values.
            if optimizer.persistent_parameters:
                optimizer.persistent_parameters[0].partition(optimizer.persistent_parameters)
                optimizer.persistent_parameters[0].all_gather(optimizer.persistent_parameters)

    def _keys(self) -> list[Tensor]:
        """The tensors the optimizer learns: DeepSpeed's flat ones, or the parameters themselves."""
        optimizer = self._engine.optimizer
        if self._stage == 0:
            return [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
        if self._stage == 3:
            return list(optimizer.fp32_partitioned_groups_flat)
        if not hasattr(optimizer, "single_partition_of_fp32_groups"):
            raise TrainingError(f"DeepSpeed's {type(optimizer).__name__} cannot be saved here")
        return list(optimizer.single_partition_of_fp32_groups)

    def _state(self, key: Tensor) -> dict[str, Tensor]:
        if not self._optimizer.state[key]:
            self.restore_steps(0)
        return self._optimizer.state[key]

    def _on_device(self, key: Tensor) -> bool:
        """A fused AdamW counts its steps where it works."""
        groups = self._optimizer.param_groups
        return key.is_cuda and any(group.get("fused") or group.get("capturable") for group in groups)

    def _find_fragments(self) -> Iterator[Fragment]:
        names = {id(parameter): name for name, parameter in self._engine.module.named_parameters()}
        if self._stage == 0:
            for index, parameter in enumerate(self._keys()):
                yield Fragment(names[id(parameter)], parameter.numel(), 0, parameter.numel(), index, 0)
        elif self._stage == 3:
            yield from self._partitioned(names)
        else:
            yield from self._flattened(names)

    def _flattened(self, names: dict[int, str]) -> Iterator[Fragment]:
        """ZeRO 1 and 2: all parameters in a row, cut into equal parts, one a rank."""
        for index, group in enumerate(self._engine.optimizer.bit16_groups):
            for parameter in group:
                held = parameter._hp_mapping
                if held is not None:
                    inside, outside = held.lp_fragment_address, held.hp_fragment_address
                    yield Fragment(
                        names[id(parameter)], parameter.numel(), inside.start, inside.numel, index, outside.start
                    )

    def _partitioned(self, names: dict[int, str]) -> Iterator[Fragment]:
        """ZeRO 3: every parameter cut into equal parts, one a rank, the last ones padded."""
        optimizer = self._engine.optimizer
        for group in optimizer.fp16_groups:
            for parameter in group:
                index, offset, length = optimizer.grad_position[optimizer.get_param_id(parameter)]
                start = dist.get_rank() * parameter.ds_tensor.ds_numel
                count = min(length, parameter.ds_numel - start)
                if count > 0:
                    yield Fragment(names[id(parameter)], parameter.ds_numel, start, count, index, offset)
