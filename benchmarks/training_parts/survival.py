"""Twenty kills of the tiny preset's training, inside saves and inside steps, and a resume on another number of ranks.

python -m benchmarks.training_parts.survival
"""

import json
import os
import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from dreamactor_core.console import say
from dreamactor_model.training.diffusion.diffusion_stage import FlowObjective
from dreamactor_model.training.run.journal import read_journal
from dreamactor_model.training.spec import CHECKPOINTS, JOURNAL
from torch import nn

from benchmarks.training_parts.cached import STOPPED, CachedRun, train
from benchmarks.training_parts.ranks import KILLED, kill_at_operation, run_ranks

_KILLS = 20
# More than the killed runs can take together.
_STEPS = 24


@dataclass(frozen=True)
class _KilledRun(CachedRun):
    """One that ends itself: at a file operation under its checkpoints, or after a forward pass, counted from 1."""

    kill_at: int = 0
    kill_after_forward: int = 0


def _train_and_die(run: _KilledRun, rank: int) -> int:
    if run.kill_at:
        kill_at_operation(run.kill_at, run.work_dir / CHECKPOINTS)
    if run.kill_after_forward:
        _kill_after_forward(run.kill_after_forward)
    return train(run, rank)


def _kill_after_forward(count: int) -> None:
    seen = 0

    def hook(module: nn.Module, *_: object) -> None:
        nonlocal seen
        seen += isinstance(module, FlowObjective)
        if seen == count:
            os.kill(os.getpid(), signal.SIGKILL)

    nn.modules.module.register_module_forward_hook(hook)


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Figures of survival: `resume_bit_equal`, `resume_kills`, `reshard_loss_rel`."""
    with tempfile.TemporaryDirectory() as folder:
        whole = CachedRun(Path(folder) / "whole", steps=_STEPS, changes={"checkpoint_every": 1})
        _must_end_well(whole, world=1)
        kills, equal = _kill_often(replace(whole, folder=Path(folder) / "killed"), whole, round(_KILLS * scale))
        return {"resume_bit_equal": equal, "resume_kills": kills, "reshard_loss_rel": _reshard(Path(folder), whole)}


def _kill_often(run: CachedRun, whole: CachedRun, kills: int) -> tuple[int, bool]:
    """Kill at other and other points, each time resumed; whether it ends with the same bits."""
    for kill in range(kills):
        killed = _killed_at(run, kill)
        statuses = run_ranks(_train_and_die, killed, 1, run.folder)
        if statuses != [KILLED]:
            raise RuntimeError(f"kill {kill}: ended with {statuses}")
        say(f"kill {kill + 1} of {kills}: operation {killed.kill_at}, forward pass {killed.kill_after_forward}")
    _must_end_well(run, world=1)
    mine, theirs = run.weights(), whole.weights()
    return kills, mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def _killed_at(run: CachedRun, kill: int) -> _KilledRun:
    """Every fourth ends inside a step, further and further from the start; the others inside saves.

    A save and the start before it are some thirty operations: every third of them, then those between.
    """
    if kill % 4 == 3:
        return _KilledRun(run.folder, run.steps, run.changes, kill_after_forward=1 + kill // 4)
    return _KilledRun(run.folder, run.steps, run.changes, kill_at=2 + (3 * kill) % 31)


def _reshard(folder: Path, whole: CachedRun) -> float:
    """Largest relative difference of the loss after a resume on two ranks instead of one."""
    run = replace(whole, folder=folder / "resharded")
    statuses = run_ranks(train, replace(run, stop_at=6), 1, run.folder)
    if statuses != [STOPPED]:
        raise RuntimeError(f"the first half ended with {statuses}")
    _must_end_well(run, world=2)
    mine, theirs = (read_journal(one.work_dir / JOURNAL) for one in (run, whole))
    return max(abs(a["loss"] / b["loss"] - 1) for a, b in zip(mine, theirs, strict=True))


def _must_end_well(run: CachedRun, world: int) -> None:
    statuses = run_ranks(train, run, world, run.folder)
    if any(statuses):
        raise RuntimeError(f"{statuses}: {(run.folder / 'rank-0.log').read_text()[-2000:]}")


if __name__ == "__main__":
    print(json.dumps(measure()))
