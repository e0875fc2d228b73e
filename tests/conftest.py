"""One workspace, reproduced once, for all tests that need a finished pipeline."""

import re
from collections.abc import Iterator

import pytest

from infra.local import LocalPrefect
from tests.prefect_api import ended_as, eventually
from tests.stack import Stack
from tests.workspace import Workspace, copy_repository

# A machine that is busy with other tests takes several times what an idle one does.
_PIPELINE_S = 1500.0
# As little as still runs every part: nothing here says anything about quality.
SMOKE = {
    "dataset": {
        "synthetic": {"people": 6, "clips": 6, "frames": 25, "size": 96, "processes": 2},
        "faces": {"people": 4, "images": 4, "size": 64, "processes": 2},
        # Pictures this small show nobody well.
        "curate": {f"min_{name}": 0 for name in ("seen_share", "person_share", "face_px", "sharpness", "motion_m_s")}
        | {"max_people": None, "max_occlusion": None, "max_motion_m_s": None},
    },
    "training": {
        "log_every": 1,
        "processes": 2,
        **{stage: {"steps": 2, "warmup_steps": 0, "batch": 1} for stage in ("vae", "stage1", "stage2", "stage3")},
        # Its contrast compares people within a batch.
        "face": {"steps": 2, "warmup_steps": 0, "batch": 4},
        "refiner": {"steps": 2, "warmup_steps": 0, "frames": 2},
        "audio": {"steps": 2, "warmup_steps": 0, "batch": 2, "frames": 20, "utterances": 4, "faces": 32, "people": 2},
    },
    "sampling": {"steps": 1},
    "provenance": {"own_dir": "runs/identity"},
    "evaluation": {"clips": 1, "frames": 5, "steps": 1},
}


@pytest.fixture(scope="session")
def bare_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the repository in which nothing has run."""
    return copy_repository(tmp_path_factory.mktemp("bare"), SMOKE)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the repository in which `dvc repro` has made all that the three stages start from."""
    workspace = copy_repository(tmp_path_factory.mktemp("workspace"), SMOKE)
    done = workspace.dvc("repro", "latents", "train-face")
    assert done.status == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return workspace


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Postgres, an object store and MLflow with accounts, as infra/compose.yaml has them."""
    with Stack(tmp_path_factory.mktemp("servers")) as stack, pytest.MonkeyPatch.context() as patch:
        for name, value in stack.clients.items():
            if not name.startswith("DREAMACTOR_"):
                patch.setenv(name, value)
        yield stack


@pytest.fixture(scope="session")
def prefect(prepared: Workspace, servers: Stack) -> Iterator[LocalPrefect]:
    """A server on that Postgres that asks for a password, every deployment and a worker in the prepared workspace."""
    added = prepared.dvc("remote", "add", "--local", "--default", "store", "s3://dvc")
    assert added.status == 0, added.stderr
    with LocalPrefect(prepared.root, environment=servers.clients | servers.prefect) as stack:
        stack.deploy()
        yield stack


@pytest.fixture(scope="session")
def training(prefect: LocalPrefect) -> str:
    """In which state `prefect deployment run pipeline/local` ended.

    The server is asked: `--watch` follows a stream of events, and waits for ever when its end is lost.
    """
    printed = prefect.prefect(["deployment", "run", "pipeline/local"])
    (run,) = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", printed))
    return eventually(lambda: ended_as(prefect, run), _PIPELINE_S)


@pytest.fixture(scope="session")
def trained(prepared: Workspace, prefect: LocalPrefect, training: str) -> Workspace:
    """The workspace after that: three stages, an evaluation, a champion."""
    assert training == "Completed", prefect.log("worker").read_text()[-6000:]
    return prepared
