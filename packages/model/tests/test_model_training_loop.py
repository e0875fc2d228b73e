"""The loop alone, in this process, around a one-parameter model: stopping, resuming, and a loss that breaks."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from dreamactor_core.errors import TrainingError
from dreamactor_core.settings import load_settings
from dreamactor_model.training.checkpoints.commit import find_checkpoint, step_of
from dreamactor_model.training.run.journal import Journal, read_journal
from dreamactor_model.training.run.loop import TrainingLoop
from dreamactor_model.training.spec import CHECKPOINTS, JOURNAL, TrainingSpec
from torch import nn


class _Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": (self.slope * x - 2 * x).square().mean()}


class _Task:
    """y = 2 x. At step `breaks_at` the input is not a number; before step `stops_at` somebody sends SIGTERM."""

    def __init__(self, breaks_at: int = -1, stops_at: int = -1) -> None:
        self.module = _Line()
        self.made: list[int] = []
        self._breaks_at, self._stops_at = breaks_at, stops_at

    def batch(self, step: int, slot: int) -> dict[str, torch.Tensor]:
        if step == self._stops_at:
            os.kill(os.getpid(), signal.SIGTERM)
        self.made.append(step)
        x = torch.randn(4, generator=torch.Generator().manual_seed(step))
        return {"x": x * float("nan") if step == self._breaks_at else x}

    def sample_ids(self, step: int, slot: int) -> list[str]:
        return [f"clip-{step}"]

    def save(self, folder: Path) -> dict[str, float]:
        folder.mkdir(parents=True)
        (folder / "slope").write_text(repr(self.module.slope.item()))
        return {"slope": self.module.slope.item()}


class _Engine:
    """What the loop needs of DeepSpeed's engine, without ZeRO."""

    device = torch.device("cpu")

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.basic_optimizer = self.optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: 1 / (1 + step))
        self.global_steps = 0

    def __call__(self, **batch: torch.Tensor) -> Any:
        return self.module(**batch)

    def zero_optimization_stage(self) -> int:
        return 0

    def backward(self, loss: torch.Tensor) -> None:
        loss.backward()

    def step(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.lr_scheduler.step()
        self.global_steps += 1

    def get_lr(self) -> list[float]:
        return self.lr_scheduler.get_last_lr()

    def get_global_grad_norm(self) -> float:
        return 1.0


@pytest.fixture(autouse=True)
def _one_rank(tmp_path: Path) -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    yield
    dist.destroy_process_group()
    signal.signal(signal.SIGTERM, handler)


def _loop(folder: Path, task: _Task, resume: str = "auto", **changes: object) -> TrainingLoop:
    changes = {"face.steps": 12, "checkpoint_every": 5, "log_every": 4, "micro_batches": 1} | changes
    work_dir = folder / "work"
    work_dir.mkdir(parents=True, exist_ok=True)
    spec = TrainingSpec(
        stage="face",
        settings=load_settings({f"training.{name}": value for name, value in changes.items()}).model_dump(mode="json"),
        manifest=folder / "manifest.parquet",
        starts_from={},
        work_dir=work_dir,
        output=folder / "weights",
        configuration="test",
        without_data="test",
        checkpoint=find_checkpoint(work_dir / CHECKPOINTS, resume),
    )
    return TrainingLoop(spec, task, _Engine(task.module), Journal(work_dir / JOURNAL, title="face", steps=12))


def _saved(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "work" / CHECKPOINTS).glob("step-*"))


def test_a_run_writes_averaged_weights_and_its_journal(tmp_path: Path) -> None:
    task = _Task()
    assert _loop(tmp_path, task).run()
    assert task.made == list(range(12))
    assert [entry["step"] for entry in read_journal(tmp_path / "work" / JOURNAL)] == [4, 8, 12]
    assert 0.05 < float((tmp_path / "weights" / "slope").read_text()) < 1.5
    assert _saved(tmp_path) == ["step-10", "step-12"]


def test_every_so_many_steps_a_checkpoint_stays(tmp_path: Path) -> None:
    assert _loop(tmp_path, _Task(), checkpoint_every=2, keep_checkpoints=1, keep_every=4).run()
    assert _saved(tmp_path) == ["step-12", "step-4", "step-8"]


def test_a_broken_loss_stops_at_once_and_leaves_no_bad_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    task = _Task(breaks_at=6)
    with pytest.raises(TrainingError, match="not finite at step 6"):
        _loop(tmp_path, task).run()
    assert "clip-6" in capsys.readouterr().out
    assert _saved(tmp_path) == ["step-5"]
    assert not (tmp_path / "weights").exists()
    assert torch.isfinite(task.module.slope)


def test_sigterm_saves_and_a_resumed_run_ends_bit_equal(tmp_path: Path) -> None:
    _loop(tmp_path / "whole", _Task()).run()
    assert not _loop(tmp_path / "broken", _Task(stops_at=7)).run()
    assert not (tmp_path / "broken" / "weights").exists()
    checkpoint = find_checkpoint(tmp_path / "broken" / "work" / CHECKPOINTS, "auto")
    assert checkpoint is not None
    resumed = _Task()
    assert _loop(tmp_path / "broken", resumed).run()
    # The step that was interrupted had not been learnt from.
    assert resumed.made == list(range(step_of(checkpoint), 12))
    whole, broken = (tmp_path / name / "weights" / "slope" for name in ("whole", "broken"))
    assert whole.read_text() == broken.read_text()


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    _loop(tmp_path, _Task()).run()
    loop = _loop(tmp_path, _Task(), resume="10")
    loop._spec = loop._spec.model_copy(update={"configuration": "other"})
    with pytest.raises(TrainingError, match="another configuration"):
        loop.run()


def test_a_failing_batch_is_raised_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: _Task, step: int, slot: int) -> dict[str, torch.Tensor]:
        raise TrainingError(f"no batch {step}")

    monkeypatch.setattr(_Task, "batch", refuse)
    with pytest.raises(TrainingError, match="no batch 0"):
        _loop(tmp_path, _Task()).run()
