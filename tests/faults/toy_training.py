"""Real ranks, engine, loop and checkpoints around a model of some thousand weights, in processes that may be killed."""

import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dreamactor_core.errors import DreamactorError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.sampling import WindowSampler
from dreamactor_model.training.checkpoints.commit import MANIFEST, find_checkpoint
from dreamactor_model.training.run.engine import join_ranks, make_engine
from dreamactor_model.training.run.journal import Journal
from dreamactor_model.training.run.loop import TrainingLoop
from dreamactor_model.training.spec import CHECKPOINTS, ENGINE, JOURNAL, TrainingSpec
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.training_parts import ranks

REFUSED = 2
STOPPED = 3


@dataclass(frozen=True)
class ToyRun:
    """What one run is told.

    Attributes:
        folder: work folder, weights and the list of what was shown.
        steps: of the whole stage.
        changes: of settings.
        kill_at: the process kills itself at this file operation under its checkpoints (counted from 1; 0: never).
        kill_after_step: and after this step's batch was made, as soon as a checkpoint is there.
        broken_step: its batch is not a number.
        limit_file_bytes: no file may grow longer, as on a full disk.
        resume: auto, none or a step.
    """

    folder: Path
    steps: int = 6
    changes: dict[str, Any] = field(default_factory=dict)
    kill_at: int = 0
    kill_after_step: int = -1
    broken_step: int = -1
    limit_file_bytes: int | None = None
    resume: str = "auto"


class _Curve(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 1000), nn.Tanh(), nn.Dropout(0.2), nn.Linear(1000, 1))
        self.frozen = nn.Linear(3, 1)
        self.frozen.requires_grad_(False)

    def forward(self, x_BC: Tensor) -> dict[str, Tensor]:
        wanted_B1 = x_BC.square().sum(dim=1, keepdim=True)
        return {"loss": (self.layers(x_BC) + self.frozen(x_BC) - wanted_B1).square().mean()}


class ToyTask:
    """Learns a parabola, with dropout, so that torch's own generator matters; the real sampler draws."""

    def __init__(self, run: ToyRun) -> None:
        torch.manual_seed(0)
        self.module = _Curve()
        self._run = run
        self._sampler = _sampler()

    def batch(self, step: int, slot: int) -> dict[str, Tensor]:
        """Numbers that depend on the clips drawn."""
        draws = self._sampler.batch(step * 2 + slot)
        with (self._run.folder / "shown.jsonl").open("a") as file:
            file.write(json.dumps([step, slot, self.sample_ids(step, slot)]) + "\n")
        if step == self._run.kill_after_step:
            # Batches are made ahead of the steps: meanwhile a save may still be under way.
            while not list((self._run.folder / "work" / CHECKPOINTS).glob(f"step-*[0-9]/{MANIFEST}")):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        seed = np.random.SeedSequence([draw.clip_index for draw in draws] + [draw.start for draw in draws])
        x_BC = np.random.default_rng(seed).standard_normal((16, 3), np.float32)
        return {"x_BC": torch.from_numpy(x_BC * (np.nan if step == self._run.broken_step else 1))}

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """The clips, with the place of the draw in its epoch."""
        draws = self._sampler.batch(step * 2 + slot)
        return [f"clip-{draw.clip_index}@{draw.epoch}.{draw.position}" for draw in draws]

    def save(self, folder: Path) -> dict[str, float]:
        """The weights as safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.module.state_dict(), folder / "model.safetensors")
        return {"done": 1.0}


def _sampler() -> WindowSampler:
    """Seventeen clips of two frame sizes."""
    count = 17
    table = ClipTable(
        lengths=np.arange(30, 30 + 4 * count, 4),
        buckets=np.arange(count) % 2,
        bucket_sizes=np.array([[64, 64], [96, 64]]),
        yaw_frames=np.tile([0, 10, 20], (count, 1)),
        full_body=np.zeros(count, bool),
        has_track=np.ones(count, bool),
        has_truth=np.zeros(count, bool),
        strata=np.zeros(count, np.int64),
        stratum_weights=np.ones(1),
    )
    return WindowSampler(table, SamplingDataSettings(min_frames=25, max_frames=49), seed=3, batch_size=2)


def run_ranks(run: ToyRun, world: int = 1) -> list[int | None]:
    """Train with so many ranks. Returns their exit statuses."""
    return ranks.run_ranks(_train, run, world, run.folder)


def _train(run: ToyRun, rank: int) -> int:
    if run.limit_file_bytes is not None:
        _limit_files(run.limit_file_bytes)
    if run.kill_at and rank == 0:
        ranks.kill_at_operation(run.kill_at, run.folder / "work" / CHECKPOINTS)
    try:
        return 0 if _loop(run, rank).run() else STOPPED
    except DreamactorError as error:
        (run.folder / f"error-{rank}.txt").write_text(f"{type(error).__name__}: {error.line()}")
        return REFUSED


def _loop(run: ToyRun, rank: int) -> TrainingLoop:
    changes = {
        "face.steps": run.steps,
        "face.warmup_steps": 2,
        "checkpoint_every": 2,
        "log_every": 1,
        "micro_batches": 2,
    } | run.changes
    settings = load_settings({f"training.{name}": value for name, value in changes.items()})
    work_dir = run.folder / "work"
    work_dir.mkdir(exist_ok=True)
    spec = TrainingSpec(
        stage="face",
        settings=settings.model_dump(mode="json"),
        manifest=run.folder / "manifest.parquet",
        starts_from={},
        work_dir=work_dir,
        output=run.folder / "weights",
        configuration="toy",
        without_data="toy",
        checkpoint=find_checkpoint(work_dir / CHECKPOINTS, run.resume) if rank == 0 else None,
    )
    join_ranks()
    task = ToyTask(run)
    engine = make_engine(task.module, settings.training, settings.training.face, record=work_dir / ENGINE)
    journal = Journal(work_dir / JOURNAL, title="toy", steps=run.steps) if rank == 0 else None
    return TrainingLoop(spec, task, engine, journal)


def _limit_files(limit: int) -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def weights(run: ToyRun) -> dict[str, Tensor]:
    """The finished weights of a run."""
    return load_file(run.folder / "weights" / "model.safetensors")


def same_bits(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two sets of weights are equal to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def shown(run: ToyRun) -> list[tuple[int, int, tuple[str, ...]]]:
    """What was shown, in the order of steps and slots; what was shown twice the same, once."""
    lines: list[Any] = []
    with contextlib.suppress(FileNotFoundError):
        lines = [json.loads(line) for line in (run.folder / "shown.jsonl").read_text().splitlines()]
    return sorted({(step, slot, tuple(clips)) for step, slot, clips in lines})


def error_of(run: ToyRun, rank: int = 0) -> str:
    """The typed error a rank ended with."""
    return (run.folder / f"error-{rank}.txt").read_text()
