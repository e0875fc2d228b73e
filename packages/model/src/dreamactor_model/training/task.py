"""What a stage must offer to the training loop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

Batch = dict[str, Tensor]


class StageTask(Protocol):
    """One stage: a module that turns a batch into losses, and the batches."""

    @property
    def module(self) -> nn.Module:
        """`module(**batch)` gives named scalar losses; "loss" is the one that is minimised. Frozen parts are frozen."""

    def batch(self, step: int, slot: int) -> Batch:
        """Micro-batch number `slot` of a step: a pure function, so that a resumed run sees what it would have seen.

        Called in a thread beside the training.
        """

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """Names of the clips in that batch, for the log of a failure."""

    def save(self, folder: Path) -> Mapping[str, float]:
        """Write the finished weights, which the module now holds averaged. Returns final measurements."""


@runtime_checkable
class MakesVideos(Protocol):
    """A stage whose model can be looked at while it learns."""

    def make_video(self, path: Path | None) -> None:
        """Make a video of the module as it is; all ranks call it, one with a path to write to."""
