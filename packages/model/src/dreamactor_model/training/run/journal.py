"""What a training run leaves behind while it runs: a JSON line a log interval, in a file and to the launcher.

The trainer knows nothing of MLflow: the launcher passes the metrics on, so that no outage there can stop a rank.
"""

import json
import time
from pathlib import Path

MILESTONE = "milestone: "
"""Lines of the trainer's output that begin so are shown to the person who waits."""
METRICS = "metrics: "
"""Lines that begin so hold metrics as JSON, with their step."""
VIDEO = "video: "
"""Lines that begin so name a video that was made on the way."""
_MILESTONE_S = 10.0


class Journal:
    """The log of one run, kept by rank 0.

    Args:
        path: the JSON-lines file; a resumed run goes on in it.
        title: name of the stage.
        steps: of the whole stage.
    """

    def __init__(self, path: Path, *, title: str, steps: int) -> None:
        self._path, self._title, self._steps = path, title, steps
        self._last_milestone = time.monotonic()

    def record(self, step: int, values: dict[str, float]) -> None:
        """Note the metrics after a step."""
        entry = json.dumps({"step": step, **{name: float(f"{value:.6g}") for name, value in values.items()}})
        with self._path.open("a") as file:
            file.write(entry + "\n")
        print(METRICS + entry, flush=True)
        now = time.monotonic()
        if now - self._last_milestone >= _MILESTONE_S:
            self._last_milestone = now
            self.milestone(f"step {step} of {self._steps}, loss {values['loss']:.4f}, {values['step_s']:.3f} s a step")

    def video(self, path: Path) -> None:
        """A video that was made on the way."""
        print(f"{VIDEO}{path}", flush=True)

    def milestone(self, text: str) -> None:
        """One line for the person who waits."""
        print(f"{MILESTONE}{self._title}: {text}", flush=True)


def read_journal(path: Path) -> list[dict[str, float]]:
    """The recorded metrics in order of steps; of a step recorded twice (a resumed run), the later entry."""
    by_step: dict[int, dict[str, float]] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        by_step[entry["step"]] = entry
    return [by_step[step] for step in sorted(by_step)]
