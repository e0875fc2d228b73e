"""The processes of a run: started, listened to, and gone when this one goes.

torchrun starts the ranks; a supervisor between us and it sees to it that no rank outlives us and that SIGTERM leaves
the ranks the time to save. Their output goes to a file; only milestones are shown.
"""

import json
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
from dreamactor_core.children import spawn, stop
from dreamactor_core.console import say
from dreamactor_core.errors import OutOfMemoryError, StalledError, TrainingError
from dreamactor_core.settings import Settings
from dreamactor_core.spooled_run import SpooledRun
from dreamactor_core.supervisor import GRACE_S

from dreamactor_model.training.run.journal import METRICS, MILESTONE, VIDEO
from dreamactor_model.training.run.nodes import Nodes
from dreamactor_model.training.spec import FAILURE, HEARTBEAT, LOG, VIDEOS, TrainingSpec

_TAIL_LINES = 200
_LAST_WORDS = 5
_POLL_S = 0.1
# Ranks import for a minute, and on many nodes wait for the last of them.
_START_S = 600.0
_KILLED = "Signal 9 (SIGKILL)"
_MORE_MEMORY = (
    "Raise --zero-stage or --processes, or lower the stage's batch, then repeat the command: ranks and ZeRO stage may "
    "change, it goes on from the last checkpoint"
)


class Ranks:
    """The training processes of all nodes: started on entry, gone on exit, whatever happens between."""

    def __init__(self, spec: TrainingSpec, settings: Settings, nodes: Nodes) -> None:
        self._spec, self._training, self._nodes = spec, settings.training, nodes
        self._log = spec.work_dir / (LOG if nodes.number == 0 else f"{nodes.number}-{LOG}")
        self._stalled = False

    def __enter__(self) -> Self:
        say(f"{self._spec.title}: {self._nodes.world} training processes (log: {self._log})")
        spec, logs = self._spec.write(self._nodes.number), self._spec.work_dir / "torchrun"
        environment = self._environment()
        command = self._nodes.local_command(spec, logs)
        with self._log.open("ab") as log:
            # Straight into the file: a pipe would break with us, and a rank that writes into it would die unsaved.
            self._heard = log.tell()
            self._process = spawn(command, stdout=log, stderr=subprocess.STDOUT, environment=environment)
        self._remote = []
        for host, command in self._nodes.remote_commands(spec, logs, environment).items():
            with (self._spec.work_dir / f"{host}-{LOG}").open("ab") as log:
                self._remote.append(spawn(command, stdout=log, stderr=subprocess.STDOUT))
        return self

    def __exit__(self, *exception: object) -> None:
        for process in (self._process, *self._remote):
            if process.poll() is None:
                stop(process, grace_s=GRACE_S + 5)

    def follow(self, run: SpooledRun | None) -> None:
        """Until they end: their output to the log, milestones to the user, metrics to MLflow.

        Raises:
            OutOfMemoryError: memory ran out.
            StalledError: no step was taken for too long.
            TrainingError: they failed otherwise, or were stopped.
        """
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over,), name="stall watch", daemon=True)
        watch.start()
        for line in self._lines():
            if line.startswith(MILESTONE):
                say(line.removeprefix(MILESTONE))
            elif line.startswith(METRICS) and run is not None:
                values = json.loads(line.removeprefix(METRICS))
                run.metrics(values, values.pop("step"))
            elif line.startswith(VIDEO) and run is not None:
                run.artifact(Path(line.removeprefix(VIDEO)), VIDEOS)
            elif line:
                tail.append(line)
        status = self._process.wait()
        over.set()
        watch.join()
        if status != 0:
            raise self._failure(status, list(tail))

    def _lines(self) -> Iterator[str]:
        """What the ranks write, line by line, until they have ended."""
        with self._log.open("rb") as log:
            log.seek(self._heard)
            unfinished = b""
            while True:
                ended = self._process.poll() is not None
                *lines, unfinished = (unfinished + log.read()).split(b"\n")
                yield from (line.decode(errors="replace").rstrip() for line in lines)
                if ended:
                    yield unfinished.decode(errors="replace").rstrip()
                    return
                time.sleep(_POLL_S)

    def _environment(self) -> dict[str, str]:
        # Who shares the machine says how many threads a rank has: kernels spin while one of them waits for a core.
        share = max(1, (os.cpu_count() or 1) // self._nodes.processes)
        threads = os.environ.get("OMP_NUM_THREADS", str(share))
        environment = {"OMP_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}
        if self._training.accelerator == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        return environment

    def _watch(self, over: threading.Event) -> None:
        """End everything when no step has been taken for too long: one rank that hangs lets all wait for ever."""
        heartbeat, began = self._spec.work_dir / HEARTBEAT, time.time()
        while not over.wait(min(1.0, self._training.stall_s / 4)):
            last = heartbeat.stat().st_mtime if heartbeat.exists() else 0.0
            # Of another run, as long as this one has not begun.
            deadline = last + self._training.stall_s if last >= began else began + self._training.stall_s + _START_S
            if time.time() > deadline:
                self._stalled = True
                # Without a warning: they could not save, which takes all of them. torchrun and the supervisor follow.
                for descendant in psutil.Process(self._process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        descendant.kill()
                return

    def _failure(self, status: int, tail: list[str]) -> TrainingError:
        if self._stalled:
            return StalledError(
                f"{self._spec.title} took no step for {self._training.stall_s:g} s and was ended",
                path=self._log,
                remedy="Repeat the command to go on from the last checkpoint; slower steps need training.stall_s",
            )
        reason = self._spec.work_dir / FAILURE
        if reason.exists():
            told = json.loads(reason.read_text())
            if told["out_of_memory"]:
                return OutOfMemoryError(told["problem"], path=self._log, remedy=_MORE_MEMORY)
            return TrainingError(told["problem"])
        if any(_KILLED in line for line in tail):
            return OutOfMemoryError(
                "a rank was killed, as the system does when memory runs out", path=self._log, remedy=_MORE_MEMORY
            )
        last_words = " | ".join(tail[-_LAST_WORDS:]) or "no output"
        return TrainingError(
            f"training of {self._spec.title} ended with status {status}: {last_words}",
            path=self._log,
            remedy="The log says more; repeat the command to go on from the last checkpoint",
        )
