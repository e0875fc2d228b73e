"""What a training run leaves behind while it runs: a JSON line a log interval, MLflow metrics, milestones."""

import json
import time
from pathlib import Path
from typing import Any

from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import ExperimentRun

MILESTONE = "milestone: "
"""The launcher shows lines that begin so; everything else goes to the log file only."""
_MILESTONE_S = 10.0


class Journal:
    """The log of one run, kept by rank 0.

    Args:
        path: the JSON-lines file; a resumed run goes on in it.
        tracking: where MLflow is.
        run_id: the MLflow run that the launcher started; None records to the file only.
    """

    def __init__(self, path: Path, tracking: TrackingSettings, run_id: str | None, *, title: str, steps: int) -> None:
        self._file = path.open("a")
        self._run = None if run_id is None else ExperimentRun.join(tracking, run_id)
        self._title, self._steps = title, steps
        self._last_milestone = time.monotonic()

    def record(self, step: int, values: dict[str, float]) -> None:
        """Note the metrics after a step."""
        entry: dict[str, Any] = {"step": step, **{name: round(value, 6) for name, value in values.items()}}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        if self._run is not None:
            self._run.metrics(values, step)
        now = time.monotonic()
        if now - self._last_milestone >= _MILESTONE_S:
            self._last_milestone = now
            self.milestone(f"step {step} of {self._steps}, loss {values['loss']:.4f}, {values['step_s']:.3f} s a step")

    def milestone(self, text: str) -> None:
        """One line for the person who waits."""
        print(f"{MILESTONE}{self._title}: {text}", flush=True)

    def close(self) -> None:
        """Send what is buffered."""
        if self._run is not None:
            self._run.flush()
        self._file.close()


def read_journal(path: Path) -> list[dict[str, float]]:
    """The recorded metrics in order of steps; of a step recorded twice (a resumed run), the later entry."""
    by_step: dict[int, dict[str, float]] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        by_step[entry["step"]] = entry
    return [by_step[step] for step in sorted(by_step)]
