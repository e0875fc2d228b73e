"""The lineage through the real DVC: everything is made once, and only once."""

import json

import pytest
import yaml
from dreamactor_core.lineage import output_hashes

from tests.workspace import REPOSITORY, Workspace

pytestmark = pytest.mark.slow
REPORT = "reports/evaluation/held-out"
MODELS = ("vae", "face", "stage1", "stage2", "stage3", "refiner")
DELIVERABLES = (*(f"models/{name}" for name in MODELS), REPORT)


@pytest.mark.parametrize("name", ["params.yaml", "infra/h20x8/params.yaml"])
def test_every_param_of_a_stage_stands_in_the_settings_file(name: str) -> None:
    params = yaml.safe_load((REPOSITORY / name).read_text())
    files = [yaml.safe_load((REPOSITORY / file).read_text()) for file in ("dvc.yaml", "suites/dvc.yaml")]
    stages = {(place, key): stage for place, file in enumerate(files) for key, stage in file["stages"].items()}
    wanted = {param for stage in stages.values() for param in stage.get("do", stage).get("params", [])}
    wanted = {param.replace("${key}", number) for param in wanted for number in "123"}
    for dotted in wanted:
        place = params
        for key in dotted.split("."):
            assert key in place, f"{dotted} is missing"
            place = place[key]


def test_everything_is_made_by_a_stage_and_recorded(trained: Workspace) -> None:
    hashes = output_hashes(trained.root)
    for path in DELIVERABLES:
        assert (trained.root / path).is_dir()
        assert path in hashes
    metrics = json.loads((trained.root / REPORT / "metrics.json").read_text())
    assert {"copy_reference", "warp", "model"} <= set(metrics["variants"])
    assert (trained.root / REPORT / "report.html").is_file()


def test_repro_of_a_finished_workspace_does_nothing(trained: Workspace) -> None:
    lock = (trained.root / "dvc.lock").read_bytes()
    done = trained.dvc("repro")
    assert done.status == 0, done.stderr
    assert "Running stage" not in done.stdout
    assert (trained.root / "dvc.lock").read_bytes() == lock
