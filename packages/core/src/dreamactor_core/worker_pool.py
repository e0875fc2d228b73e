"""Worker processes that may die or hang: it costs the job they were at and no other."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from dreamactor_core.children import die_with_parent
from dreamactor_core.errors import DreamactorError

Job = TypeVar("Job")
Result = TypeVar("Result")

# Loading networks takes seconds; this is for a machine that is out of breath.
_START_S = 300.0


@dataclass(frozen=True)
class Accident:
    """Why a job has no result. It says nothing about the job: another run may try it again."""

    kind: Literal["WorkerDied", "TimedOut"]
    problem: str

    @property
    def reason(self) -> str:
        """Kind and problem as one line."""
        return f"{self.kind}: {self.problem}"


class WorkerStartError(DreamactorError):
    """A worker process cannot even start."""


class WorkerPool(Generic[Job, Result]):
    """`with WorkerPool(prepare, processes=2, deadline_s=60) as pool: for job, result in pool.map(jobs): ...`

    Args:
        prepare: called once in each worker, it gives the function that does a job. Both it and the jobs are pickled.
        processes: how many workers at most; they start with the first jobs and live as long as the pool.
        deadline_s: longest time for one job; then its worker is killed and another takes its place.
    """

    def __init__(self, prepare: Callable[[], Callable[[Job], Result]], *, processes: int, deadline_s: float) -> None:
        self._prepare, self._processes, self._deadline_s = prepare, processes, deadline_s
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.stop()
        self._workers = []

    def map(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Result | Accident]]:
        """Each job with its result or accident, as they are finished.

        Raises:
            WorkerStartError: a worker cannot even start.
        """
        waiting = deque(jobs)
        while len(self._workers) < min(self._processes, len(jobs)):
            self._workers.append(self._worker())
        while waiting or any(worker.busy for worker in self._workers):
            for worker in self._workers:
                if not worker.busy and waiting:
                    worker.give(waiting.popleft())
            busy = [worker for worker in self._workers if worker.busy]
            ready = wait([worker.connection for worker in busy], max(0.0, min(worker.left_s() for worker in busy)))
            for worker in busy:
                yield from worker.finished(ready)
                if worker.broken:
                    worker.stop()
                    self._workers[self._workers.index(worker)] = self._worker()

    def _worker(self) -> "_Worker":
        return _Worker(self._prepare, self._deadline_s)


class _Worker:
    """One process, and the job it is at."""

    def __init__(self, prepare: Callable[[], Callable[[Any], Any]], deadline_s: float) -> None:
        # Spawned, not forked: networks' runtimes have threads, and these do not survive a fork.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, prepare), daemon=True)
        self._process.start()
        theirs.close()
        self._deadline_s = deadline_s
        self._started = False
        self._job: Any = None
        self.busy = False
        self.broken = False

    def give(self, job: Any) -> None:
        self._job, self.busy = job, True
        self._since = time.monotonic()
        # One that died before shows when its answer is waited for.
        try:
            self.connection.send(job)
        except OSError:
            return

    def left_s(self) -> float:
        """Time until its job is overdue, or until it should have started."""
        return self._since + (self._deadline_s if self._started else _START_S) - time.monotonic()

    def finished(self, ready: Sequence[object]) -> Iterator[tuple[Any, Any]]:
        """Its job and the result, if it is done, dead or overdue."""
        if self.connection in ready:
            yield from self._receive()
        elif self.left_s() <= 0:
            if not self._started:
                raise self._no_start(f"not ready after {_START_S:g} s")
            yield self._give_up(Accident("TimedOut", f"not done after {self._deadline_s:g} s"))

    def _receive(self) -> Iterator[tuple[Any, Any]]:
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            if not self._started:
                raise self._no_start(f"exit status {self._process.exitcode}") from None
            yield self._give_up(Accident("WorkerDied", f"its process ended with {self._process.exitcode}"))
            return
        if kind == "ready":
            # The job's time starts when the worker is prepared.
            self._started, self._since = True, time.monotonic()
            return
        self.busy = False
        yield self._job, content

    def _give_up(self, accident: Accident) -> tuple[Any, Accident]:
        self.busy, self.broken = False, True
        return self._job, accident

    @staticmethod
    def _no_start(how: str) -> WorkerStartError:
        return WorkerStartError(
            f"a worker process could not start ({how})",
            remedy="Run with fewer processes and see that the machine has memory to spare",
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, prepare: Callable[[], Callable[[Any], Any]]) -> None:
    """A worker's life: prepare, say so, then do job after job."""
    die_with_parent()
    do = prepare()
    connection.send(("ready", None))
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        connection.send(("done", do(job)))
