"""Clips that cannot be read: named once, replaced by others, and only so many of them (F13)."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dreamactor_core.console import say
from dreamactor_core.errors import ShardError

from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.sampling import Draw, WindowSampler

QUARANTINE = "quarantine.jsonl"
_T = TypeVar("_T")
_ATTEMPTS = 64


class LossBudget:
    """The damaged clips of a run: on disk, so that all ranks and a resumed run know of them together.

    Args:
        clips: of the run.
        share: of them that may be lost; if there is any, then at least one.
        folder: of the run; `quarantine.jsonl` appears there with the first loss.
    """

    def __init__(self, clips: ClipSet, share: float, folder: Path) -> None:
        self._clips, self._path = clips, folder / QUARANTINE
        self._allowed = math.ceil(share * len(clips))

    def lost(self) -> set[str]:
        """Ids of the clips that were lost."""
        if not self._path.exists():
            return set()
        return {json.loads(line)["clip"] for line in self._path.read_text().splitlines()}

    def lose(self, clip_index: int, problem: ShardError) -> None:
        """Note a damaged clip.

        Raises:
            ShardError: it is one too many.
        """
        clip_id = self._clips.clip_id(clip_index)
        lost = self.lost()
        if clip_id in lost:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # One short write at the end of the file: ranks do not tear each other's lines.
        with self._path.open("a") as file:
            file.write(json.dumps({"clip": clip_id, "problem": problem.line()}) + "\n")
        say(f"quarantined {clip_id}: {problem.line()}")
        if len(lost) + 1 > self._allowed:
            raise ShardError(
                f"{len(lost) + 1} of {len(self._clips)} clips cannot be read, {self._allowed} may be lost",
                path=self._path,
                remedy="Make the shards again, or raise dataset.shards.loss_budget",
            ) from problem


def read_or_substitute(
    draw: Draw, read: Callable[[Draw], _T], sampler: WindowSampler, budget: LossBudget
) -> tuple[Draw, _T]:
    """What a draw shows, or what stands in for it. Nothing here depends on what was lost before, so that a resumed run
    shows the same.

    Returns:
        The draw that was read, and what was read.

    Raises:
        ShardError: more clips are damaged than may be.
    """
    shown = draw
    for attempt in range(_ATTEMPTS):
        try:
            return shown, read(shown)
        except ShardError as problem:
            budget.lose(shown.clip_index, problem)
            shown = sampler.substitute(draw, attempt)
    raise ShardError(f"no clip can stand in for {shown.clip_index}: all of its frame size are damaged")
