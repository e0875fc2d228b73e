"""Which tokens of a frame are computed here: all of them, unless a sequence is split over processes.

Legend: B batch, F frames, L tokens of a frame, D width, l those of them that are computed here.
"""

from typing import Protocol

from torch import Tensor


class TokenShare(Protocol):
    """A split of every frame's tokens (`dreamactor_model.memory.sequence_parallel`)."""

    def mine(self, x: Tensor, axis: int) -> Tensor:
        """The tokens computed here, of an axis that holds all tokens of a frame."""
        ...

    def all(self, x_BFlD: Tensor) -> Tensor:
        """All tokens again, (B, F, L, D)."""
        ...


class EveryToken:
    """No split."""

    def mine(self, x: Tensor, axis: int) -> Tensor:  # noqa: ARG002 - any axis is whole
        return x

    def all(self, x_BFlD: Tensor) -> Tensor:
        return x_BFlD
