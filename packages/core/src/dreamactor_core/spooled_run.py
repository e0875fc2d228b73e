"""An MLflow run that nobody waits for: what is to be recorded goes to a file, and from there to MLflow.

The file (the spool) is JSON lines. A thread sends them in order, in batches, and notes how far it came; while MLflow
cannot be reached they wait, if need be until another run of the same program sends them. A line carries its time, so
that one sent twice (a kill between sending and noting it) is recorded once.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dreamactor_core.console import say
from dreamactor_core.files import write_text
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import ExperimentRun

SPOOL = "mlflow.jsonl"
"""Name of the spool in a work folder."""
RUN_ID = "mlflow-run"
"""Beside the spool: the id of the MLflow run, as soon as there is one."""
_SENT = "mlflow.sent"
_INTERVAL_S = 5.0
_RETRY_S = 0.5
_POLL_S = 0.05
_PATIENCE_S = 20.0
# MLflow that answers, however slowly, is waited for longer.
_SLOW_S = 300.0
# Of a server that is down: our thread comes back by itself, and a finished training must not wait for minutes.
_HTTP = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class SpooledRun:
    """Records one run. As a context manager the run ends FINISHED or FAILED with the block.

    Args:
        settings: where MLflow is.
        folder: of the spool; a resumed run goes on in it.
        name, tags: of the run, should it have to be made.
        resumes: go on with the folder's run; else a new one is made.
        run_id: the run to go on with, where it is known better than by the folder.
        leftovers: folders whose spools may wait since an outage; they are sent too.
    """

    def __init__(
        self,
        settings: TrackingSettings,
        folder: Path,
        name: str,
        *,
        tags: Mapping[str, str],
        resumes: bool,
        run_id: str | None = None,
        leftovers: Iterable[Path] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._settings, self._folder = settings, folder
        self._leftovers = [other for other in leftovers if other != folder]
        self._file = (folder / SPOOL).open("a")
        self._wake, self._closing, self._outage = threading.Event(), False, False
        self._put({"run": {"name": name, "tags": dict(tags), "resumes": resumes, "run_id": run_id}})
        self._thread = threading.Thread(target=self._send_until_closed, name="mlflow", daemon=True)
        self._thread.start()

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Record metrics after a step."""
        self._put({"metrics": dict(values), "step": step, "time_ms": int(time.time() * 1000)})

    def params(self, values: Mapping[str, Any]) -> None:
        """Record parameters, nested ones under dotted names."""
        self._put({"params": dict(values)})

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        self._put({"tags": dict(values)})

    def artifact(self, path: Path, folder: str) -> None:
        """Upload a file or a folder, as it is when MLflow can be reached."""
        self._put({"artifact": str(path.absolute()), "folder": folder})

    def finish(self, status: str, *, patience_s: float = _PATIENCE_S) -> bool:
        """End the run. Returns whether everything reached MLflow; if not, it waits in the spool.

        Args:
            patience_s: how long to wait while MLflow cannot be reached.
        """
        self._put({"status": status})
        self._file.close()
        self._closing = True
        self._wake.set()
        began = time.monotonic()
        while self._thread.is_alive() and time.monotonic() - began < (patience_s if self._outage else _SLOW_S):
            self._thread.join(_POLL_S)
        done = not waiting(self._folder)
        if not done:
            say(f"MLflow cannot be reached: metrics wait in {self._folder / SPOOL}; the next training sends them")
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish("FINISHED" if kind is None else "FAILED")

    def _put(self, line: Mapping[str, Any]) -> None:
        # Handed to the operating system at once: a killed trainer loses nothing.
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def _send_until_closed(self) -> None:
        os.environ.update(_HTTP)
        while True:
            last = self._closing
            try:
                send(self._settings, self._folder)
                while self._leftovers:
                    send(self._settings, self._leftovers[-1])
                    self._leftovers.pop()
                self._outage = False
                if last:
                    return
            except Exception as problem:  # no outage of MLflow, of whatever kind, may stop a training
                if not self._outage:
                    say(f"MLflow takes nothing now, training goes on: {str(problem)[:200]}")
                self._outage = True
            if self._closing:
                time.sleep(_RETRY_S)
            else:
                self._wake.wait(_INTERVAL_S)


def waiting(folder: Path) -> bool:
    """Whether the folder's spool holds lines that MLflow has not got."""
    spool = folder / SPOOL
    return spool.exists() and _sent(folder) < spool.stat().st_size


def send(settings: TrackingSettings, folder: Path) -> None:
    """Send what waits in a folder's spool, unless somebody else does it just now. Raises what MLflow raises."""
    with _alone(folder) as alone:
        if not alone or not waiting(folder):
            return
        position = _sent(folder)
        with (folder / SPOOL).open("rb") as file:
            file.seek(position)
            # The last line may still be being written.
            raw = [line for line in file if line.endswith(b"\n")]
        run: ExperimentRun | None = None
        for is_metrics, group in groupby(raw, key=lambda line: line.startswith(b'{"metrics"')):
            lines = list(group)
            if is_metrics:
                run = run or _known_run(settings, folder)
                for line in lines:
                    entry = json.loads(line)
                    run.metrics(entry["metrics"], entry["step"], time_ms=entry["time_ms"])
                run.flush()
                position = _note(folder, position + sum(map(len, lines)))
                continue
            for line in lines:
                run = _apply(json.loads(line), run, settings, folder)
                position = _note(folder, position + len(line))


def _apply(entry: dict[str, Any], run: ExperimentRun | None, settings: TrackingSettings, folder: Path) -> ExperimentRun:
    """One line that is no metric; returns the run it is about."""
    if "run" in entry:
        return _open_run(settings, folder, **entry["run"])
    run = run or _known_run(settings, folder)
    if "params" in entry:
        run.params(entry["params"])
    elif "tags" in entry:
        run.tags(entry["tags"])
    elif "artifact" in entry:
        if Path(entry["artifact"]).exists():
            run.artifact(entry["artifact"], entry["folder"])
    else:
        run.finish(entry["status"])
    return run


def _open_run(
    settings: TrackingSettings, folder: Path, *, name: str, tags: dict[str, str], resumes: bool, run_id: str | None
) -> ExperimentRun:
    known = folder / RUN_ID
    if resumes and run_id is None and known.exists():
        run_id = known.read_text()
    if resumes and run_id is not None:
        run = ExperimentRun.join(settings, run_id)
    else:
        run = ExperimentRun.start(settings, name, tags=tags)
    write_text(known, run.run_id)
    return run


def _known_run(settings: TrackingSettings, folder: Path) -> ExperimentRun:
    return ExperimentRun(settings, (folder / RUN_ID).read_text())


def _sent(folder: Path) -> int:
    path = folder / _SENT
    return int(path.read_text()) if path.exists() else 0


def _note(folder: Path, position: int) -> int:
    write_text(folder / _SENT, str(position))
    return position


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether this process alone sends the folder's spool."""
    with (folder / f"{_SENT}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
