"""F8, F9 and F11 on a real server, worker and trainer: killed orchestration, restarted servers, double submissions."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.spooled_run import RUN_ID
from dreamactor_core.tracking import client
from dreamactor_model.training.spec import CHECKPOINTS
from made_up_faces import write_made_up_faces

from infra.local import LocalPrefect
from tests.prefect_api import ask, eventually
from tests.workspace import Workspace, copy_repository

STEPS = 30
PARAMS = {
    "training": {
        "processes": 1,
        "log_every": 1,
        "checkpoint_every": 5,
        "face": {"steps": STEPS, "warmup_steps": 0, "batch": 2},
    }
}
# The lineage, cut down to the one stage that is trained here.
LINEAGE = """
stages:
  train-face:
    cmd: dreamactor model train --stage face
    deps: [data/faces]
    outs: [models/face, reports/training/face]
"""
# Engines beat every 30 s at the most often; a busy machine may be late.
SILENCE_S = 50.0
THREE_HEARTBEATS_S = 90.0
TRAIN = ["train-stages/local", "--param", 'stages=["face"]', "--param", "judge=false"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = copy_repository(tmp_path_factory.mktemp("faults"), PARAMS)
    write_made_up_faces(workspace.root / "data" / "faces")
    (workspace.root / "dvc.yaml").write_text(LINEAGE)
    return workspace


@pytest.fixture(scope="module")
def prefect(workspace: Workspace) -> Iterator[LocalPrefect]:
    with LocalPrefect(workspace.root, environment={"OMP_NUM_THREADS": "1"}, silence_s=SILENCE_S) as stack:
        stack.prefect(["--no-prompt", "deploy", "--name", "train-stages/local"])
        yield stack


def _state(prefect: LocalPrefect, run: str) -> str:
    return str(ask(prefect, f"flow_runs/{run}")["state_name"])


def _below(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _living(processes: list[psutil.Process]) -> list[psutil.Process]:
    living = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
    return living


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _work_dir(workspace: Workspace) -> Path | None:
    return next(iter(workspace.root.glob("runs/training/face-*")), None)


def _saved(workspace: Workspace) -> list[Path]:
    return list(workspace.root.glob(f"runs/training/face-*/{CHECKPOINTS}/step-*/manifest.json"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_f8_f9_f11_a_run_survives_its_engine_its_worker_and_its_server(
    workspace: Workspace, prefect: LocalPrefect
) -> None:
    # F11: the same run submitted twice is one.
    first, again = (prefect.python(["infra.submission", *TRAIN, "--key", "tonight"]).strip() for _ in range(2))
    assert first == again
    assert ask(prefect, "flow_runs/count", {}) == 1

    # F8: worker and engine are gone at once, and can tell nobody.
    eventually(lambda: _saved(workspace), 180)
    folder = _work_dir(workspace)
    assert folder is not None
    mlflow_run = (folder / RUN_ID).read_text()
    assert _state(prefect, first) == "Running"
    processes = _below(prefect.child("worker"))
    orchestration = [process for process in processes if "prefect" in " ".join(process.cmdline())]
    trainers = [process for process in processes if process not in orchestration]
    assert len(orchestration) >= 2
    assert len(trainers) >= 3
    os.kill(prefect.child("worker"), signal.SIGKILL)
    _kill(orchestration)
    killed = time.monotonic()
    # The trainer has no one left to train for: it saves and ends.
    eventually(lambda: not _living(trainers), 60)
    eventually(lambda: _state(prefect, first) == "Crashed", THREE_HEARTBEATS_S)
    assert time.monotonic() - killed < THREE_HEARTBEATS_S
    saved = max(int(path.parent.name.removeprefix("step-")) for path in _saved(workspace))
    assert saved < STEPS, "the training was over before it was killed: make it longer"

    # Its place is free: the queue lets one trainer through at a time, and the retry gets through.
    prefect.start_worker()
    prefect.prefect(["flow-run", "retry", first])
    eventually(lambda: _state(prefect, first) == "Running", 120)

    # F9: the server is killed and comes back while the flow runs.
    _kill(_below(prefect.child("server")))
    prefect.start_server()
    eventually(lambda: _state(prefect, first) == "Completed", 300)

    (run,) = client(TrackingSettings(uri=f"sqlite:///{workspace.root}/mlflow.db")).search_runs(["1"])
    assert run.info.run_id == mlflow_run
    assert run.info.status == "FINISHED"
    assert (workspace.root / "models" / "face" / "manifest.json").exists()
    assert ask(prefect, "flow_runs/count", {}) == 1
    logs = "".join(path.read_text() for path in sorted((workspace.root / "runs" / "logs").glob("*.log")))
    assert "goes on from step" in logs
