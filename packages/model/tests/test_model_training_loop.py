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
        self.shown: list[int] = []
        self._breaks_at, self._stops_at = breaks_at, stops_at

    def batch(self, step: int, rank: int) -> dict[str, torch.Tensor]:
        self.shown.append(step)
        if step == self._stops_at:
            os.kill(os.getpid(), signal.SIGTERM)
        x = torch.randn(4, generator=torch.Generator().manual_seed(step))
        return {"x": x * float("nan") if step == self._breaks_at else x}

    def sample_ids(self, step: int, rank: int) -> list[str]:
        return [f"clip-{step}"]

    def save(self, folder: Path) -> dict[str, float]:
        folder.mkdir(parents=True)
        (folder / "slope").write_text(repr(self.module.slope.item()))
        return {"slope": self.module.slope.item()}


class _Engine:
    """What the loop needs of DeepSpeed's engine."""

    device = torch.device("cpu")

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)

    def __call__(self, **batch: torch.Tensor) -> Any:
        return self._module(**batch)

    def backward(self, loss: torch.Tensor) -> None:
        loss.backward()

    def step(self) -> None:
        self._optimizer.step()
        self._optimizer.zero_grad()

    def get_lr(self) -> list[float]:
        return [0.1]

    def get_global_grad_norm(self) -> float:
        return 1.0

    def save_checkpoint(self, folder: str, tag: str, save_latest: bool) -> None:
        (Path(folder) / tag).mkdir()
        torch.save([self._module.state_dict(), self._optimizer.state_dict()], Path(folder) / tag / "state.pt")

    def load_checkpoint(self, folder: str, tag: str) -> tuple[str, dict[str, Any]]:
        weights, moments = torch.load(Path(folder) / tag / "state.pt", weights_only=True)
        self._module.load_state_dict(weights)
        self._optimizer.load_state_dict(moments)
        return folder, {}


@pytest.fixture(autouse=True)
def _one_rank(tmp_path: Path) -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    yield
    dist.destroy_process_group()
    signal.signal(signal.SIGTERM, handler)


def _loop(folder: Path, task: _Task, resume: str = "auto") -> TrainingLoop:
    changes = {"training.face.steps": 12, "training.checkpoint_every": 5, "training.log_every": 4}
    work_dir = folder / "work"
    work_dir.mkdir(parents=True, exist_ok=True)
    spec = TrainingSpec(
        stage="face",
        settings=load_settings(changes).model_dump(mode="json"),
        manifest=folder / "manifest.parquet",
        starts_from={},
        work_dir=work_dir,
        output=folder / "weights",
        resume=resume,
    )
    return TrainingLoop(spec, task, _Engine(task.module), Journal(work_dir / JOURNAL, title="face", steps=12))


def test_a_run_writes_averaged_weights_and_its_journal(tmp_path: Path) -> None:
    task = _Task()
    assert _loop(tmp_path, task).run()
    assert task.shown == list(range(12))
    assert [entry["step"] for entry in read_journal(tmp_path / "work" / JOURNAL)] == [4, 8, 12]
    assert 0.3 < float((tmp_path / "weights" / "slope").read_text()) < 1.5
    assert sorted(path.name for path in (tmp_path / "work" / CHECKPOINTS).glob("step-*")) == ["step-10", "step-12"]


def test_a_broken_loss_stops_at_once_and_leaves_no_bad_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    task = _Task(breaks_at=6)
    with pytest.raises(TrainingError, match="not finite at step 6"):
        _loop(tmp_path, task).run()
    assert task.shown[-1] == 6
    assert "clip-6" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "work" / CHECKPOINTS).glob("step-*")] == ["step-5"]
    assert not (tmp_path / "weights").exists()
    assert torch.isfinite(task.module.slope)


def test_sigterm_saves_and_a_resumed_run_ends_bit_equal(tmp_path: Path) -> None:
    _loop(tmp_path / "whole", _Task()).run()
    assert not _loop(tmp_path / "broken", _Task(stops_at=7)).run()
    assert not (tmp_path / "broken" / "weights").exists()
    resumed = _Task()
    assert _loop(tmp_path / "broken", resumed).run()
    # The step that was interrupted had not been learnt from.
    assert resumed.shown == list(range(7, 12))
    whole, broken = (tmp_path / name / "weights" / "slope" for name in ("whole", "broken"))
    assert whole.read_text() == broken.read_text()


def test_deepspeeds_silent_miss_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _loop(tmp_path, _Task()).run()
    monkeypatch.setattr(_Engine, "load_checkpoint", lambda self, folder, tag: (None, {}))
    with pytest.raises(TrainingError, match="did not load"):
        _loop(tmp_path, _Task(), resume="5" if (tmp_path / "work/checkpoints/step-5").exists() else "10").run()
