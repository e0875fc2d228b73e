"""Block offload: the blocks' matrices live in main memory and visit the device in turn, for inference.

At most two blocks are there: the one that computes, and the next, which arrives meanwhile on a stream of its own. What
is small (norms, biases, modulation tables) stays on the device. Nothing that is computed changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dreamactor_model.actor import DreamActor


def offload_blocks(actor: DreamActor, device: torch.device) -> None:
    """Move an actor to a device, but for the matrices of its blocks, which will visit it; it can no longer learn.

    Args:
        actor: in main memory.
    """
    actor.requires_grad_(False)
    blocks, actor.dit.blocks = actor.dit.blocks, nn.ModuleList()
    actor.to(device)
    actor.dit.blocks = OffloadedBlocks(blocks, device)


class OffloadedBlocks(nn.ModuleList):
    """Blocks of one shape: whoever iterates over them finds each on the device until asking for the next.

    Only iterating brings their matrices there; all else of a block is there always.
    """

    def __init__(self, blocks: nn.ModuleList, device: torch.device) -> None:
        super().__init__(blocks)
        self._list = list(blocks)
        self._homes = [_settle(block, device) for block in self._list]
        self._places = [_Place.like(home, device) for home in self._homes[:2]]
        self._busy = False

    @property
    def resident_bytes(self) -> int:
        """What the matrices take on the device, however many blocks there are."""
        return sum(tensor.nbytes for place in self._places for tensor in place.tensors)

    def __iter__(self) -> Iterator[nn.Module]:
        if self._busy:
            raise RuntimeError("offloaded blocks serve one pass at a time")
        self._busy = True
        try:
            yield from self._visits()
        finally:
            for block, home in zip(self._list, self._homes, strict=True):
                _bind(block, home)
            self._busy = False

    def _visits(self) -> Iterator[nn.Module]:
        for index, block in enumerate(self._list):
            if index == 0:
                self._place(0).fetch(self._homes[0])
            if index + 1 < len(self._list):
                # Into the place of the block before this one, which has been left.
                self._place(index + 1).fetch(self._homes[index + 1])
            place = self._place(index)
            place.enter()
            _bind(block, place.tensors)
            try:
                yield block
            finally:
                place.leave()
            _bind(block, self._homes[index])

    def _place(self, index: int) -> "_Place":
        return self._places[index % len(self._places)]


@dataclass(frozen=True)
class _Arrival:
    """Orders copies and computation on a CUDA device; elsewhere both happen one after the other anyway."""

    stream: torch.cuda.Stream
    arrived: torch.cuda.Event
    left: torch.cuda.Event


@dataclass(frozen=True)
class _Place:
    """Room on the device for one block's matrices, used again and again: nothing is allocated during a pass."""

    tensors: list[Tensor]
    arrival: _Arrival | None

    @classmethod
    def like(cls, home: list[Tensor], device: torch.device) -> "_Place":
        tensors = [torch.empty_like(tensor, device=device) for tensor in home]
        if device.type != "cuda":
            return cls(tensors, None)
        return cls(tensors, _Arrival(torch.cuda.Stream(device), torch.cuda.Event(), torch.cuda.Event()))

    def fetch(self, home: list[Tensor]) -> None:
        """Begin to copy a block in, once the one before it has been left."""
        if self.arrival is None:
            self._copy(home)
            return
        self.arrival.stream.wait_event(self.arrival.left)
        with torch.cuda.stream(self.arrival.stream):
            self._copy(home)
        self.arrival.arrived.record(self.arrival.stream)

    def enter(self) -> None:
        """Let what is computed from now on wait for the block."""
        if self.arrival is not None:
            torch.cuda.current_stream(self.arrival.stream.device).wait_event(self.arrival.arrived)

    def leave(self) -> None:
        """Let the next block in after what was computed so far."""
        if self.arrival is not None:
            self.arrival.left.record(torch.cuda.current_stream(self.arrival.stream.device))

    def _copy(self, home: list[Tensor]) -> None:
        for here, there in zip(self.tensors, home, strict=True):
            here.copy_(there, non_blocking=True)


def _settle(block: nn.Module, device: torch.device) -> list[Tensor]:
    """Move all but the matrices to the device; the matrices' own memory is pinned where that speeds copies up."""
    homes = {id(parameter): parameter.detach() for parameter in _matrices(block)}
    if device.type == "cuda":
        homes = {key: tensor.pin_memory() for key, tensor in homes.items()}
    for tensor in (*block.parameters(), *block.buffers()):
        if id(tensor) not in homes:
            tensor.data = tensor.data.to(device)
    home = list(homes.values())
    _bind(block, home)
    return home


def _matrices(block: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in block.parameters() if parameter.ndim == 2]


def _bind(block: nn.Module, tensors: list[Tensor]) -> None:
    for parameter, tensor in zip(_matrices(block), tensors, strict=True):
        parameter.data = tensor
