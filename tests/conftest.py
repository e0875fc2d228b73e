"""One workspace, reproduced once, for all tests that need a finished pipeline."""

import pytest

from tests.workspace import Workspace, copy_repository

# As little as still runs every part: nothing here says anything about quality.
SMOKE = {
    "dataset": {"synthetic": {"people": 6, "clips": 6, "frames": 29, "size": 96, "processes": 2}},
    "training": {
        "log_every": 1,
        **{stage: {"steps": 3, "warmup_steps": 0} for stage in ("vae", "face", "stage1", "stage2", "stage3")},
    },
    "sampling": {"steps": 2},
    "evaluation": {"clips": 1, "steps": 2},
}


@pytest.fixture(scope="session")
def bare_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the repository in which nothing has run."""
    return copy_repository(tmp_path_factory.mktemp("bare"), SMOKE)


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the repository in which `dvc repro` has run once, as small as it gets."""
    workspace = copy_repository(tmp_path_factory.mktemp("workspace"), SMOKE)
    done = workspace.dvc("repro")
    assert done.status == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return workspace
