from pathlib import Path

import pytest
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import ExperimentRun, client, flatten


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
