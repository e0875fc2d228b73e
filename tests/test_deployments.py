"""Prefect as it is used: a server on a free port, every deployment, a worker, `prefect deployment run ... --watch`."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dreamactor_core.footage import footage
from dreamactor_core.lineage import data_versions
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import client
from dreamactor_core.video import probe
from mlflow import MlflowClient
from mlflow.entities import Run

from infra.local import LocalPrefect
from tests.workspace import REPOSITORY, Workspace

pytestmark = pytest.mark.slow
STAGES = ("stage1", "stage2", "stage3")


@pytest.fixture(scope="module")
def prefect(reproduced: Workspace) -> Iterator[LocalPrefect]:
    with LocalPrefect(reproduced.root) as stack:
        stack.deploy()
        yield stack


@pytest.fixture(scope="module")
def registry(reproduced: Workspace) -> MlflowClient:
    return client(TrackingSettings(uri=f"sqlite:///{reproduced.root}/mlflow.db"))


def run_deployment(prefect: LocalPrefect, name: str, **parameters: object) -> str:
    arguments = [f"--param={key}={json.dumps(value)}" for key, value in parameters.items()]
    return prefect.prefect(["deployment", "run", name, *arguments, "--watch"])


def stage_runs(registry: MlflowClient) -> dict[str, list[Run]]:
    (experiment,) = [found for found in registry.search_experiments() if found.name == "dreamactor"]
    runs = registry.search_runs([experiment.experiment_id])
    return {stage: [run for run in runs if run.info.run_name == stage] for stage in STAGES}


def test_every_deployment_is_created(prefect: LocalPrefect) -> None:
    listed = prefect.prefect(["deployment", "ls", "-o", "json"])
    names = {deployment["name"] for deployment in json.loads(listed)}
    assert {"local", "h20x8", "nightly"} <= names


@pytest.fixture(scope="module")
def trained(prefect: LocalPrefect, reproduced: Workspace) -> str:
    """The output of a train-stages run that has something to do: one more step in stage 1 changes all three."""
    params = yaml.safe_load((reproduced.root / "params.yaml").read_text())
    params["training"]["stage1"]["steps"] += 1
    (reproduced.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return run_deployment(prefect, "train-stages/local")


def test_train_stages_completes(trained: str) -> None:
    assert "Completed" in trained


def test_mlflow_lists_the_stage_runs(trained: str, registry: MlflowClient, reproduced: Workspace) -> None:
    versions = data_versions(reproduced.root)
    for stage, runs in stage_runs(registry).items():
        # One of `dvc repro`, one of the deployment.
        assert len(runs) == 2, stage
        latest = max(runs, key=lambda run: run.info.start_time)
        assert latest.info.status == "FINISHED"
        assert latest.data.params[f"training.{stage}.steps"]
        assert latest.data.metrics["loss"] > 0
        assert latest.data.tags["data_version"] == versions["data_version"]


def test_a_registered_version_is_champion(trained: str, registry: MlflowClient) -> None:
    champion = registry.get_model_version_by_alias("dreamactor", "champion")
    assert int(champion.version) >= 1


def test_a_bad_job_does_not_stop_the_batch(
    trained: str, prefect: LocalPrefect, registry: MlflowClient, reproduced: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "jobs.csv").write_text(
        "reference,driving,output,seed,steps,max_frames\n"
        f"nobody.png,{footage('talking-head')},bad.mp4,0,1,5\n"
        f"{footage('astronaut')},{footage('talking-head')},good.mp4,0,1,5\n"
    )
    printed = run_deployment(prefect, "animate-batch/nightly", jobs=str(tmp_path / "jobs.csv"))
    assert "Completed" in printed

    report = reproduced.root / "reports" / "batches" / "jobs.csv"
    bad, good = csv.DictReader(report.read_text().splitlines())
    champion = registry.get_model_version_by_alias("dreamactor", "champion")
    assert (bad["status"], good["status"]) == ("failed", "done")
    assert "nobody.png" in bad["reason"]
    assert good["model"] == f"models:/dreamactor/{champion.version}"
    assert probe(tmp_path / "good.mp4").frame_count == 5
    assert not (tmp_path / "bad.mp4").exists()


def test_deployments_name_the_eight_uses() -> None:
    deployments = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())["deployments"]
    names = sorted(
        f"{Path(each['entrypoint'].split(':')[0]).stem.replace('_', '-')}/{each['name']}" for each in deployments
    )
    assert names == [
        "animate-batch/nightly",
        "evaluate/local",
        "extract-signals/local",
        "pipeline/local",
        "promote/local",
        "train-stages/h20x8",
        "train-stages/local",
        "version-dataset/local",
    ]
