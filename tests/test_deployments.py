"""Prefect as it is used: a server on a free port, every deployment, a worker, `prefect deployment run ... --watch`."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from dreamactor_core.footage import footage
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance.verification import verify_video
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
def registry(prepared: Workspace) -> MlflowClient:
    return client(TrackingSettings(uri=f"sqlite:///{prepared.root}/mlflow.db"))


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


def test_train_stages_completes(training: str) -> None:
    assert "Flow run finished successfully in 'Completed'" in " ".join(training.split())


def test_mlflow_lists_the_stage_runs(trained: Workspace, registry: MlflowClient) -> None:
    versions = data_versions(trained.root)
    for stage, runs in stage_runs(registry).items():
        (run,) = runs
        assert run.info.status == "FINISHED", stage
        assert run.data.params["stage.steps"] == "2"
        assert run.data.metrics["loss"] > 0
        assert {name: run.data.tags[name] for name in versions} == versions


def test_a_registered_version_is_champion(trained: Workspace, registry: MlflowClient) -> None:
    champion = registry.get_model_version_by_alias("dreamactor", "champion")
    assert int(champion.version) == 1
    assert champion.tags["data_version"] == data_versions(trained.root)["data_version"]


def test_a_bad_job_does_not_stop_the_batch(
    trained: Workspace, prefect: LocalPrefect, registry: MlflowClient, tmp_path: Path
) -> None:
    (tmp_path / "jobs.csv").write_text(
        "reference,driving,consent,output,seed,steps,max_frames\n"
        f"nobody.png,{footage('talking-head')},public domain,bad.mp4,0,1,5\n"
        f"{footage('astronaut')},{footage('talking-head')},public domain,good.mp4,0,1,5\n"
    )
    printed = run_deployment(prefect, "animate-batch/nightly", jobs=str(tmp_path / "jobs.csv"))
    assert "Completed" in printed

    report = trained.root / "reports" / "batches" / "jobs" / "outcomes.csv"
    bad, good = csv.DictReader(report.read_text().splitlines())
    champion = registry.get_model_version_by_alias("dreamactor", "champion")
    assert (bad["status"], good["status"]) == ("refused", "done")
    assert "nobody.png" in bad["reason"]
    assert good["model"] == f"models:/dreamactor/{champion.version}"
    assert probe(tmp_path / "good.mp4").frame_count == 5
    assert verify_video(tmp_path / "good.mp4").record["consent"] == "public domain"
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
