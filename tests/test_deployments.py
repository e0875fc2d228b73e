"""Prefect as it is used: every deployment, a worker, runs that are asked for, on schedule and for files that come."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dreamactor_core.footage import footage
from dreamactor_core.lineage import data_versions
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.provenance.verification import verify_video
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import client
from dreamactor_core.video import probe
from mlflow import MlflowClient
from mlflow.entities import Run

from infra.automations import SILENT_RUNS
from infra.local import INBOX, LocalPrefect
from infra.pools import LOCAL_POOL, TRAINING_QUEUE
from tests.prefect_api import ask, eventually
from tests.stack import Stack
from tests.workspace import REPOSITORY, Workspace

pytestmark = pytest.mark.slow
STAGES = ("stage1", "stage2", "stage3")


@pytest.fixture(scope="module")
def registry(servers: Stack) -> MlflowClient:
    return client(TrackingSettings(uri=servers.mlflow_uri))


def artifacts(prefect: LocalPrefect, key: str) -> list[dict[str, Any]]:
    return list(ask(prefect, "artifacts/filter", {"artifacts": {"key": {"any_": [key]}}}))


def stage_runs(registry: MlflowClient) -> dict[str, list[Run]]:
    (experiment,) = [found for found in registry.search_experiments() if found.name == "dreamactor"]
    runs = registry.search_runs([experiment.experiment_id])
    return {stage: [run for run in runs if run.info.run_name == stage] for stage in STAGES}


def test_every_deployment_is_created(prefect: LocalPrefect) -> None:
    listed = prefect.prefect(["deployment", "ls", "-o", "json"])
    names = {deployment["name"] for deployment in json.loads(listed)}
    assert {"local", "h20x8", "nightly", "inbox"} <= names


def test_silent_runs_are_watched_and_trainers_queue(prefect: LocalPrefect) -> None:
    (automation,) = ask(prefect, "automations/filter", {})
    assert (automation["name"], automation["trigger"]["within"]) == (SILENT_RUNS, 90)
    queues = ask(prefect, f"work_pools/{LOCAL_POOL}/queues/filter", {})
    assert {queue["name"]: queue["concurrency_limit"] for queue in queues} == {"default": None, TRAINING_QUEUE: 1}


def test_the_whole_pipeline_completes(training: str) -> None:
    assert training == "Completed"


def test_mlflow_lists_the_stage_runs(trained: Workspace, registry: MlflowClient) -> None:
    versions = data_versions(trained.root)
    for stage, runs in stage_runs(registry).items():
        (run,) = runs
        assert run.info.status == "FINISHED", stage
        assert run.data.params["stage.steps"] == "2"
        assert run.data.metrics["loss"] > 0
        assert {name: run.data.tags[name] for name in versions} == versions


def test_results_are_linked_by_artifacts(trained: Workspace, prefect: LocalPrefect, servers: Stack) -> None:
    (stages,) = artifacts(prefect, "stages")
    for stage in STAGES:
        assert f"| {stage.removeprefix('stage')} | trained |" in stages["data"]
    assert stages["data"].count(f"]({servers.mlflow_uri}/#/experiments/") >= len(STAGES)
    (promotion,) = artifacts(prefect, "promotion")
    assert "there was no champion" in promotion["data"]


def test_a_registered_version_is_champion(trained: Workspace, registry: MlflowClient) -> None:
    champion = registry.get_model_version_by_alias("dreamactor", "champion")
    assert int(champion.version) == 1
    assert champion.tags["data_version"] == data_versions(trained.root)["data_version"]


def _jobs(folder: Path, *references: Path | str) -> str:
    rows = [
        f"{reference},{footage('talking-head')},public domain,{folder}/{number}.mp4,0,1,5\n"
        for number, reference in enumerate(references)
    ]
    return "reference,driving,consent,output,seed,steps,max_frames\n" + "".join(rows)


def _outcomes(trained: Workspace, table: str) -> list[dict[str, str]]:
    report = trained.root / "reports" / "batches" / table / "outcomes.csv"
    return list(csv.DictReader(report.read_text().splitlines())) if report.exists() else []


def test_a_schedule_fires_by_itself_and_a_bad_job_does_not_stop_the_batch(
    trained: Workspace, prefect: LocalPrefect, registry: MlflowClient, tmp_path: Path
) -> None:
    (trained.root / "batches" / "nightly.csv").write_text(_jobs(tmp_path, "nobody.png", footage("astronaut")))
    every_minute = ["--cron", "* * * * *", "--replace", "--accept-yes"]
    prefect.prefect(["deployment", "schedule", "create", "animate-batch/nightly", *every_minute])
    try:
        bad, good = eventually(lambda: _outcomes(trained, "nightly"), 400)
    finally:
        prefect.prefect(["deployment", "schedule", "clear", "animate-batch/nightly", "--accept-yes"])

    champion = registry.get_model_version_by_alias("dreamactor", "champion")
    assert (bad["status"], good["status"]) == ("refused", "done")
    assert "nobody.png" in bad["reason"]
    assert good["model"] == f"models:/dreamactor/{champion.version}"
    assert probe(tmp_path / "1.mp4").frame_count == 5
    verified = trained.dreamactor("verify", str(tmp_path / "1.mp4"))
    assert verified.status == 0, verified.stderr
    assert verify_video(tmp_path / "1.mp4").record["consent"] == "public domain"
    assert not (tmp_path / "0.mp4").exists()
    shown = artifacts(prefect, "batch")[0]["data"]
    assert f"[1.mp4]({(tmp_path / '1.mp4').as_uri()})" in shown
    assert artifacts(prefect, "batch-report")[0]["data"].count("reports/batches/nightly/report.html") == 1


def test_a_job_table_that_appears_is_run_once_by_whoever_sees_it(
    trained: Workspace, prefect: LocalPrefect, tmp_path: Path
) -> None:
    inbox = trained.root / INBOX
    rivals = [
        subprocess.Popen(
            [sys.executable, "-m", "infra.inbox", str(inbox)],
            cwd=trained.root, env={**os.environ, **prefect.environment}, stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        (inbox / "today.csv").write_text(_jobs(tmp_path, footage("astronaut")))
        claimed = eventually(lambda: list(inbox.glob("today.claimed-*.csv")), 60)
        assert len(claimed) == 1
        (outcome,) = eventually(lambda: _outcomes(trained, claimed[0].stem), 300)
    finally:
        for rival in rivals:
            rival.terminate()
            rival.wait()
    assert outcome["status"] == "done"
    assert verify_video(tmp_path / "0.mp4").record["consent"] == "public domain"
    runs = ask(prefect, "flow_runs/filter", {"flows": {"name": {"any_": ["animate-batch"]}}})
    assert [run["parameters"]["jobs"] for run in runs].count(str(claimed[0])) == 1


def test_signals_are_extracted_on_a_cluster_of_dask(
    prepared: Workspace, prefect: LocalPrefect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    videos = sorted((prepared.root / "data" / "clips").rglob("*.mp4"))[:2]
    (tmp_path / "videos").mkdir()
    for video in videos:
        shutil.copy(video, tmp_path / "videos")
    program = "import sys; from flows.extract_signals import extract_signals; extract_signals(*sys.argv[1:])"
    for name, value in prefect.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(prepared.root)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        done = prepared.run(
            sys.executable, "-c", program, str(tmp_path / "videos"), str(tmp_path / "tracks"),
            DREAMACTOR_OPERATIONS__CLUSTER=cluster.scheduler_address, **prefect.environment,
        )  # fmt: skip
        assert done.status == 0, done.stderr[-4000:]
        tasks = {str(event[0]) for event in cluster.scheduler.transition_log}
    assert sum("extract_track" in task for task in tasks) == len(videos)
    for video in videos:
        assert len(MotionTrack.load(tmp_path / "tracks" / f"{video.name}.safetensors")) == probe(video).frame_count


def test_deployments_name_the_uses() -> None:
    deployments = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())["deployments"]
    names = sorted(
        f"{Path(each['entrypoint'].split(':')[0]).stem.replace('_', '-')}/{each['name']}" for each in deployments
    )
    assert names == [
        "animate-batch/inbox",
        "animate-batch/nightly",
        "evaluate/local",
        "extract-signals/local",
        "extract-signals/mmpose",
        "pipeline/local",
        "promote/local",
        "train-stages/h20x8",
        "train-stages/local",
        "version-dataset/local",
    ]
