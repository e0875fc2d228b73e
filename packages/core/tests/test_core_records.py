import json
from pathlib import Path

import pytest
from dreamactor_core.files import sha256_file
from dreamactor_core.provenance import Ingredient, write_sidecar
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import ExperimentRun, client, flatten


def test_sidecar_names_everything(tmp_path: Path) -> None:
    source, result = tmp_path / "in.png", tmp_path / "out.mp4"
    source.write_bytes(b"source")
    result.write_bytes(b"result")
    path = write_sidecar(
        result,
        content=result,
        ingredients=[Ingredient("reference", source)],
        model={"version": "3"},
        settings={"seed": 1},
        notes=["small"],
    )
    content = json.loads(path.read_text())
    assert path.name == "out.mp4.json"
    assert content["notice"] == "AI-generated"
    assert content["result"]["sha256"] == sha256_file(result)
    assert content["inputs"] == [{"role": "reference", "name": "in.png", "sha256": sha256_file(source)}]
    assert content["model"] == {"version": "3"}
    assert content["settings"] == {"seed": 1}
    assert content["notes"] == ["small"]


def test_flatten_joins_keys_with_dots() -> None:
    assert flatten({"a": {"b": {"c": 1}}, "d": 2}) == {"a.b.c": 1, "d": 2}


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> TrackingSettings:
    folder = tmp_path_factory.mktemp("mlflow")
    return TrackingSettings(uri=f"sqlite:///{folder}/mlflow.db", artifacts=str(folder / "artifacts"))


@pytest.mark.slow
def test_run_records_params_metrics_tags_artifacts(tracking: TrackingSettings, tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text("1,2\n")
    with ExperimentRun.start(tracking, "train", tags={"stage": "1"}) as run:
        run.params({"training": {"seed": 3}})
        for step in range(5):
            run.metrics({"loss": 1.0 / (step + 1)}, step)
        run.artifact(tmp_path / "curve.csv")
    mlflow = client(tracking)
    stored = mlflow.get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.params == {"training.seed": "3"}
    assert stored.data.tags["stage"] == "1"
    assert [m.value for m in mlflow.get_metric_history(run.run_id, "loss")] == [1.0 / (s + 1) for s in range(5)]
    assert [a.path for a in mlflow.list_artifacts(run.run_id)] == ["curve.csv"]


@pytest.mark.slow
def test_a_second_process_joins_and_a_failure_is_marked(tracking: TrackingSettings) -> None:
    run = ExperimentRun.start(tracking, "train", tags={})
    with pytest.raises(RuntimeError), ExperimentRun.join(tracking, run.run_id) as joined:
        joined.metrics({"loss": 2.0}, 7)
        raise RuntimeError
    stored = client(tracking).get_run(run.run_id)
    assert stored.info.status == "FAILED"
    assert stored.data.metrics == {"loss": 2.0}
