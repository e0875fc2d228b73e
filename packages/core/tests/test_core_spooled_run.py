"""An MLflow run through a spool: outages delay it, nothing is lost and nothing is recorded twice."""

from pathlib import Path

import pytest
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.spooled_run import RUN_ID, SPOOL, SpooledRun, send, waiting
from dreamactor_core.tracking import ExperimentRun, client


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> TrackingSettings:
    """One database for all: making it takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    return TrackingSettings(uri=f"sqlite:///{folder}/mlflow.db", artifacts=str(folder / "artifacts"))


class _Outage:
    """While it lasts, MLflow cannot be reached."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lasts = True
        for name in ("start", "join", "flush", "finish", "params"):
            monkeypatch.setattr(ExperimentRun, name, self._refusing(getattr(ExperimentRun, name)))

    def _refusing(self, method):
        def call(*arguments, **named):
            if self.lasts:
                raise ConnectionError("nobody listens there")
            return method(*arguments[isinstance(arguments[0], type) :], **named)

        return call


def _history(settings: TrackingSettings, folder: Path, metric: str) -> list[tuple[int, float]]:
    entries = client(settings).get_metric_history((folder / RUN_ID).read_text(), metric)
    return sorted((entry.step, entry.value) for entry in entries)


def test_a_run_reaches_mlflow_whole(tmp_path, settings):
    report = tmp_path / "report.txt"
    report.write_text("fine")
    with SpooledRun(settings, tmp_path / "work", "face", tags={"stage": "face"}, resumes=False) as run:
        run.params({"stage": {"steps": 3}})
        for step in range(3):
            run.metrics({"loss": 1 / (step + 1)}, step)
        run.artifact(report, "training")
        run.tags({"later": "yes"})
    recorded = client(settings).get_run((tmp_path / "work" / RUN_ID).read_text())
    assert recorded.info.status == "FINISHED"
    assert recorded.data.params == {"stage.steps": "3"}
    assert recorded.data.tags["later"] == "yes"
    assert _history(settings, tmp_path / "work", "loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert not waiting(tmp_path / "work")


def test_an_outage_stops_nobody_and_its_metrics_are_sent_once(tmp_path, settings, monkeypatch, capsys):
    outage = _Outage(monkeypatch)
    run = SpooledRun(settings, tmp_path / "a", "face", tags={}, resumes=False)
    run.metrics({"loss": 2.0}, 1)
    run.metrics({"loss": float("nan")}, 2)
    assert not run.finish("FAILED", patience_s=0.1)
    run._thread.join(0.2)
    assert waiting(tmp_path / "a")
    assert "training goes on" in capsys.readouterr().err
    outage.lasts = False
    # The next training, of whatever stage, sends what waits.
    with SpooledRun(settings, tmp_path / "b", "audio", tags={}, resumes=False, leftovers=[tmp_path / "a"]):
        pass
    run._thread.join(10)
    assert not waiting(tmp_path / "a")
    assert _history(settings, tmp_path / "a", "loss")[0] == (1, 2.0)
    assert len(_history(settings, tmp_path / "a", "loss")) == 2
    assert client(settings).get_run((tmp_path / "a" / RUN_ID).read_text()).info.status == "FAILED"


def test_lines_sent_but_not_noted_are_recorded_once(tmp_path, settings):
    with SpooledRun(settings, tmp_path, "face", tags={}, resumes=False) as run:
        for step in range(5):
            run.metrics({"loss": float(step)}, step)
    first_line = len((tmp_path / SPOOL).read_text().splitlines(keepends=True)[0])
    # Killed after MLflow had taken the metrics and before that was noted.
    (tmp_path / "mlflow.sent").write_text(str(first_line))
    send(settings, tmp_path)
    assert _history(settings, tmp_path, "loss") == [(step, float(step)) for step in range(5)]


def test_a_resumed_run_goes_on_in_its_run_and_a_new_one_does_not(tmp_path, settings):
    def train(value: float, *, resumes: bool, run_id: str | None = None) -> str:
        with SpooledRun(settings, tmp_path, "face", tags={}, resumes=resumes, run_id=run_id) as run:
            run.metrics({"loss": value}, int(value))
        return (tmp_path / RUN_ID).read_text()

    first = train(1.0, resumes=False)
    assert train(2.0, resumes=True) == first
    second = train(3.0, resumes=False)
    assert second != first
    assert train(4.0, resumes=True, run_id=first) == first
    assert _history(settings, tmp_path, "loss") == [(1, 1.0), (2, 2.0), (4, 4.0)]


def test_a_resumed_run_bears_what_changed_as_a_tag(tmp_path, settings):
    for workers, resumes in ((1, False), (2, True)):
        with SpooledRun(settings, tmp_path, "face", tags={}, resumes=resumes) as run:
            run.params({"workers": workers, "seed": 0})
    recorded = client(settings).get_run((tmp_path / RUN_ID).read_text()).data
    assert recorded.params == {"workers": "1", "seed": "0"}
    assert recorded.tags["changed.workers"] == "2"
    assert "changed.seed" not in recorded.tags
    assert not waiting(tmp_path)


def test_a_server_that_is_not_there_costs_no_more_than_patience(tmp_path):
    nowhere = TrackingSettings(uri="http://127.0.0.1:9", artifacts="mlartifacts")
    run = SpooledRun(nowhere, tmp_path, "face", tags={}, resumes=False)
    run.metrics({"loss": 1.0}, 1)
    assert not run.finish("FINISHED", patience_s=0.5)
    assert (tmp_path / SPOOL).read_text().count("\n") == 3
