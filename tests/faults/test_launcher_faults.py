"""F6, F7 and F10 through the real launcher: memory, ranks that hang, a launcher that is killed, MLflow that is away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from dreamactor_core.errors import LineageError, OutOfMemoryError, StalledError, TrainingError
from dreamactor_core.spooled_run import RUN_ID, send, waiting
from dreamactor_core.tracking import client
from dreamactor_model.training.run import trainer
from dreamactor_model.training.run.launch import train_stage
from dreamactor_model.training.spec import CHECKPOINTS
from launched_training import settings
from made_up_faces import write_made_up_faces
from prefect.client.schemas import TaskRun
from prefect.states import Failed

from flows.reproduction import reproduce_stage
from flows.retries import interrupted

_TRAINER, _TORCHRUN = "dreamactor_model.training.run.trainer", "torch.distributed.run"
_START_S = 240.0
# Longer than a step on a busy machine.
_STALL_S = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_made_up_faces(tmp_path / "faces")
    return tmp_path


@pytest.fixture
def launched(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(Path(__file__).with_name("launched_training.py")), str(folder)]
    process = subprocess.Popen([*command, f"training.stall_s={_STALL_S}"], stderr=(folder / "launcher.log").open("wb"))
    yield process
    for left in _below(process.pid):
        left.kill()
    process.kill()
    process.wait()


def _below(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _eventually(what: Callable[[], object], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.1)


def _learning(folder: Path) -> bool:
    return any(folder.glob(f"runs/face-*/{CHECKPOINTS}/step-*/manifest.json"))


def _alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    alive = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_f7_after_a_sigkill_of_the_launcher_no_rank_lives(folder: Path, launched: subprocess.Popen[bytes]) -> None:
    _eventually(lambda: _learning(folder), _START_S)
    ranks = _below(launched.pid)
    assert len(ranks) >= 4
    os.kill(launched.pid, signal.SIGKILL)
    # The ranks were warned, so that they could save.
    _eventually(lambda: not _alive(ranks), 60)
    assert "was stopped and saved" in next(folder.glob("runs/face-*/failure.json")).read_text()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_f7_a_rank_that_hangs_ends_all_in_bounded_time(folder: Path, launched: subprocess.Popen[bytes]) -> None:
    _eventually(lambda: _learning(folder), _START_S)
    below = _below(launched.pid)
    commands = {process: process.cmdline() for process in below}
    # The supervisor and torchrun name the trainer too.
    ranks = [process for process, words in commands.items() if _TRAINER in words and _TORCHRUN not in words]
    assert len(ranks) == 2
    ranks[0].suspend()
    launched.wait(_STALL_S + 40)
    assert not _alive(below)
    said = (folder / "launcher.log").read_text()
    assert "StalledError" in said
    assert f"took no step for {_STALL_S} s" in said


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_f10_without_mlflow_training_goes_on_and_its_metrics_arrive_once(folder: Path) -> None:
    away = {"training.face.steps": 12, "training.face.warmup_steps": 2}
    done = train_stage(settings(folder, **away, **{"tracking.uri": "http://127.0.0.1:9"}), "face", folder / "unused")
    assert (done.weights / "model.safetensors").exists()
    assert waiting(done.work_dir)
    # MLflow is there again; the next training would send this.
    tracking = settings(folder).tracking
    send(tracking, done.work_dir)
    send(tracking, done.work_dir)
    run = client(tracking).get_run((done.work_dir / RUN_ID).read_text())
    assert run.info.status == "FINISHED"
    history = client(tracking).get_metric_history(run.info.run_id, "loss")
    assert sorted(entry.step for entry in history) == list(range(1, 13))


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    ],
)
def test_f6_lack_of_memory_is_told_apart_and_not_retried(
    problem: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dreamactor_model.training.run.nodes import Nodes
    from dreamactor_model.training.run.ranks import Ranks
    from dreamactor_model.training.spec import TrainingSpec

    def fail(spec: TrainingSpec) -> bool:
        raise problem

    values = settings(tmp_path)
    spec = TrainingSpec(
        stage="face",
        settings=values.model_dump(mode="json"),
        manifest=tmp_path / "faces.json",
        starts_from={},
        work_dir=tmp_path,
        output=tmp_path / "weights",
        configuration="test",
        without_data="test",
        checkpoint=None,
    )
    monkeypatch.setattr(trainer, "_train", fail)
    monkeypatch.setattr(trainer, "die_with_parent", lambda: None)
    assert trainer.main(spec.write(0)) == trainer.USER_ERROR
    error = Ranks(spec, values, Nodes(1))._failure(1, [])
    assert isinstance(error, OutOfMemoryError)
    assert "zero-stage" in error.line()
    killed = "exitcode : -9 ... traceback : Signal 9 (SIGKILL) received by PID 71"
    (tmp_path / "failure.json").unlink()
    assert isinstance(Ranks(spec, values, Nodes(1))._failure(1, [killed]), OutOfMemoryError)
    failed = Failed(data=LineageError(f"dreamactor model train failed with status 2: {error.line()}"))
    assert not interrupted(reproduce_stage, TaskRun.model_construct(), failed)
    assert not interrupted(reproduce_stage, TaskRun.model_construct(), Failed(data=StalledError("too long")))


@pytest.mark.parametrize(
    ("accelerator", "found", "refused"),
    [
        ("cuda", 0, True),
        ("cuda", 4, True),
        ("cuda", 8, False),
        ("auto", 4, True),
        ("auto", 0, False),
        ("cpu", 4, False),
    ],
)
def test_fewer_gpus_than_planned_are_told_before_the_first_step(
    accelerator: str, found: int, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    monkeypatch.setattr(trainer.torch.cuda, "device_count", lambda: found)
    training = settings(tmp_path, **{"training.accelerator": accelerator}).training
    if not refused:
        trainer.require_accelerators(training)
        return
    with pytest.raises(TrainingError, match=f"8 GPUs are planned on this machine, {found} are here"):
        trainer.require_accelerators(training)
