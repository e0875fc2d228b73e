"""Twenty kills inside checkpoint saves of the tiny preset, and a resume on another number of ranks."""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from dreamactor_model.training.run.journal import read_journal
from dreamactor_model.training.spec import CHECKPOINTS, JOURNAL

from benchmarks.training_parts.cached import STOPPED, CachedRun, train
from benchmarks.training_parts.ranks import KILLED, kill_at_operation, run_ranks

_KILLS = 20


@dataclass(frozen=True)
class _KilledRun(CachedRun):
    kill_at: int = 0


def _train_and_die(run: _KilledRun, rank: int) -> int:
    if rank == 0:
        kill_at_operation(run.kill_at, run.work_dir / CHECKPOINTS)
    return train(run, rank)


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Figures of survival: `resume_bit_equal`, `resume_kills`, `reshard_loss_rel`."""
    with tempfile.TemporaryDirectory() as folder:
        whole = CachedRun(Path(folder) / "whole", steps=_KILLS + 4, changes={"checkpoint_every": 1})
        _must_end_well(whole, world=1)
        kills, equal = _kill_often(replace(whole, folder=Path(folder) / "killed"), whole, round(_KILLS * scale))
        return {"resume_bit_equal": equal, "resume_kills": kills, "reshard_loss_rel": _reshard(Path(folder), whole)}


def _kill_often(run: CachedRun, whole: CachedRun, kills: int) -> tuple[int, bool]:
    """Kill at later and later operations of a save, each time resumed; whether it ends with the same bits."""
    for kill in range(kills):
        # A save and the start before it are some thirty operations; every third of them, then those between.
        killed = _KilledRun(run.folder, run.steps, run.changes, kill_at=2 + (3 * kill) % 31)
        statuses = run_ranks(_train_and_die, killed, 1, run.folder)
        if statuses != [KILLED]:
            raise RuntimeError(f"kill {kill}: ended with {statuses}")
    _must_end_well(run, world=1)
    mine, theirs = run.weights(), whole.weights()
    return kills, mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


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
