"""What a metric costs until it is in MLflow's sqlite, through the spool and by the synchronous call a value."""

import json
import tempfile
import time
from pathlib import Path

from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.spooled_run import SpooledRun
from dreamactor_core.tracking import ExperimentRun, client

_NAMES = [f"metric-{index}" for index in range(8)]
_STEPS, _SYNCHRONOUS_STEPS = 400, 20


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`metric_logging_ratio`: seconds a value, synchronous / ours until the last has arrived; the same run counts."""
    with tempfile.TemporaryDirectory() as folder:
        settings = TrackingSettings(uri=f"sqlite:///{folder}/mlflow.db", artifacts=f"{folder}/artifacts")
        # Making the database and importing MLflow is nobody's.
        run = ExperimentRun.start(settings, "synchronous", tags={})
        run.metrics({"first": 0.0})
        run.flush()
        synchronous_s = _synchronous(settings, run.run_id, max(5, round(_SYNCHRONOUS_STEPS * scale)))
        ours_s = _spooled(settings, Path(folder) / "spool", max(50, round(_STEPS * scale)))
        again_s = _synchronous(settings, run.run_id, max(5, round(_SYNCHRONOUS_STEPS * scale)))
    synchronous_s = (synchronous_s + again_s) / 2
    return {
        "metric_logging_ratio": synchronous_s / ours_s,
        "metric_synchronous_ms": 1000 * synchronous_s,
        "metric_spooled_ms": 1000 * ours_s,
    }


def _synchronous(settings: TrackingSettings, run_id: str, steps: int) -> float:
    mlflow = client(settings)
    began = time.perf_counter()
    for step in range(steps):
        for name in _NAMES:
            mlflow.log_metric(run_id, name, 1 / (step + 1), step=step)
    return (time.perf_counter() - began) / (steps * len(_NAMES))


def _spooled(settings: TrackingSettings, folder: Path, steps: int) -> float:
    began = time.perf_counter()
    run = SpooledRun(settings, folder, "spooled", tags={}, resumes=False)
    for step in range(steps):
        run.metrics(dict.fromkeys(_NAMES, 1 / (step + 1)), step)
    if not run.finish("FINISHED"):
        raise RuntimeError("the metrics did not arrive")
    return (time.perf_counter() - began) / (steps * len(_NAMES))


if __name__ == "__main__":
    print(json.dumps(measure()))
