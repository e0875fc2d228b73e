"""MLflow behind one module: runs, buffered metrics, artifacts.

Only the client API is used: it has no thread-local state.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dreamactor_core.settings.tracking import TrackingSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

RUN_VARIABLE = "MLFLOW_RUN_ID"
_FLUSH_COUNT = 500
_FLUSH_S = 15.0
_PARAM_LENGTH = 500


def client(settings: TrackingSettings) -> "MlflowClient":
    """A client of the tracking server and registry."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=settings.uri, registry_uri=settings.uri)


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{name}.")
        else:
            flat[name] = value
    return flat


@dataclass(frozen=True)
class RunLink:
    """How people find a run.

    Attributes:
        url: of its page; None where no server shows one.
    """

    run_id: str
    url: str | None


def latest_run(settings: TrackingSettings, tags: Mapping[str, str]) -> RunLink | None:
    """The newest run of the experiment that bears these tags; None if there is none."""
    mlflow = client(settings)
    experiment = mlflow.get_experiment_by_name(settings.experiment)
    if experiment is None:
        return None
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found = mlflow.search_runs(
        [experiment.experiment_id], wanted, max_results=1, order_by=["attributes.start_time DESC"]
    )
    if not found:
        return None
    run_id, server = found[0].info.run_id, settings.uri.startswith(("http://", "https://"))
    page = f"{settings.uri.rstrip('/')}/#/experiments/{experiment.experiment_id}/runs/{run_id}"
    return RunLink(run_id, page if server else None)


class ExperimentRun:
    """One MLflow run. Use `start` or `join`, then as a context manager: the run ends FINISHED or FAILED with the block.

    Metrics are buffered and sent in batches, because a synchronous call a value costs milliseconds each.
    """

    def __init__(self, settings: TrackingSettings, run_id: str) -> None:
        self._client = client(settings)
        self.run_id = run_id
        self._metrics: list[Metric] = []
        self._last_flush = time.monotonic()

    @classmethod
    def start(cls, settings: TrackingSettings, name: str, *, tags: Mapping[str, str]) -> Self:
        """Create a run in the experiment, which is created too where it is missing."""
        mlflow = client(settings)
        run = mlflow.create_run(_experiment_id(mlflow, settings), run_name=name, tags=dict(tags))
        return cls(settings, run.info.run_id)

    @classmethod
    def join(cls, settings: TrackingSettings, run_id: str) -> Self:
        """Go on with a run that another process started."""
        run = cls(settings, run_id)
        run._client.update_run(run_id, status="RUNNING")
        return run

    def params(self, values: Mapping[str, Any]) -> None:
        """Record parameters, nested ones under dotted names.

        MLflow lets none be changed: a joined run that goes on with another value bears it as tag `changed.NAME`.
        """
        from mlflow.entities import Param

        recorded = self._client.get_run(self.run_id).data.params
        given = {key: str(value)[:_PARAM_LENGTH] for key, value in flatten(values).items()}
        entries = [Param(key, value) for key, value in given.items() if key not in recorded]
        for start in range(0, len(entries), 100):
            self._client.log_batch(self.run_id, params=entries[start : start + 100])
        self.tags({f"changed.{key}": value for key, value in given.items() if recorded.get(key, value) != value})

    def metrics(self, values: Mapping[str, float], step: int = 0, *, time_ms: int | None = None) -> None:
        """Record metrics; they reach the server within seconds, or with `flush`.

        Args:
            time_ms: when they were measured, if not now; equal entries of one time are recorded once.
        """
        from mlflow.entities import Metric

        time_ms = int(time.time() * 1000) if time_ms is None else time_ms
        self._metrics += [Metric(key, float(value), time_ms, step) for key, value in values.items()]
        if len(self._metrics) >= _FLUSH_COUNT or time.monotonic() - self._last_flush > _FLUSH_S:
            self.flush()

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        for key, value in values.items():
            self._client.set_tag(self.run_id, key, value)

    def artifact(self, path: Path | str, folder: str | None = None) -> None:
        """Upload a file or a folder."""
        upload = self._client.log_artifacts if Path(path).is_dir() else self._client.log_artifact
        upload(self.run_id, str(path), folder)

    def flush(self) -> None:
        """Send what is buffered."""
        waiting, self._metrics = self._metrics, []
        for start in range(0, len(waiting), 1000):
            self._client.log_batch(self.run_id, metrics=waiting[start : start + 1000])
        self._last_flush = time.monotonic()

    def finish(self, status: str = "FINISHED") -> None:
        """Send what is buffered and end the run."""
        self.flush()
        self._client.set_terminated(self.run_id, status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish("FINISHED" if kind is None else "FAILED")


def _experiment_id(mlflow: "MlflowClient", settings: TrackingSettings) -> str:
    from mlflow.exceptions import MlflowException

    found = mlflow.get_experiment_by_name(settings.experiment)
    if found is not None:
        return found.experiment_id
    location = settings.artifacts
    if "://" not in location:
        location = Path(location).resolve().as_uri()
    try:
        return mlflow.create_experiment(settings.experiment, artifact_location=location)
    except MlflowException:
        # Another process may have created it between the two calls.
        found = mlflow.get_experiment_by_name(settings.experiment)
        if found is None:
            raise
        return found.experiment_id
