"""Worker processes, each with one tracker of its own. One that dies or hangs costs the clip it was at and no other."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from dreamactor_core.children import die_with_parent
from dreamactor_core.errors import TrackError
from dreamactor_core.manifest import ClipRow
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.extraction.job import ClipJob
from dreamactor_signals.trackers import make_tracker

ACCIDENTS = ("WorkerDied", "TimedOut", "TrackerError")
"""Kinds of rejection that say nothing about the clip: the next run tries it again."""
# Loading networks takes seconds; this is for a machine that is out of breath.
_START_S = 300.0


def track_clips(jobs: Sequence[ClipJob], settings: SignalsSettings) -> Iterator[ClipRow]:
    """The row of each job, tracked or rejected, as they are finished.

    Raises:
        TrackError: a worker cannot even start.
    """
    waiting = deque(jobs)
    workers = [_Worker(settings) for _ in range(min(settings.processes, len(jobs)))]
    try:
        while waiting or any(worker.job for worker in workers):
            for worker in workers:
                if worker.job is None and waiting:
                    worker.give(waiting.popleft())
            deadline_s = min(worker.left_s() for worker in workers if worker.job)
            ready = wait([worker.connection for worker in workers if worker.job], max(deadline_s, 0))
            for index, worker in enumerate(workers):
                row = worker.result(ready)
                if row is None:
                    continue
                if worker.broken:
                    worker.stop()
                    workers[index] = _Worker(settings)
                yield row
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process, and the clip it is at."""

    def __init__(self, settings: SignalsSettings) -> None:
        # Spawned, not forked: the networks' runtime has threads, and these do not survive a fork.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        self._process.start()
        theirs.close()
        self._deadline_s = settings.clip_deadline_s
        self._started = False
        self.job: ClipJob | None = None
        self.broken = False

    def give(self, job: ClipJob) -> None:
        self.job = job
        self._since = time.monotonic()
        # One that died before shows when its answer is waited for.
        try:
            self.connection.send(job)
        except OSError:
            return

    def left_s(self) -> float:
        """Time until its clip is overdue, or until it should have started."""
        return self._since + (self._deadline_s if self._started else _START_S) - time.monotonic()

    def result(self, ready: Sequence[object]) -> ClipRow | None:
        """The row of its clip, if it is finished, dead or overdue."""
        job = self.job
        if job is None:
            return None
        if self.connection in ready:
            row = self._receive(job)
        elif self.left_s() <= 0:
            if not self._started:
                raise self._no_start(f"not ready after {_START_S:g} s")
            self.broken = True
            row = job.rejected("TimedOut", f"no track after {self._deadline_s:g} s")
        else:
            return None
        if row is not None:
            self.job = None
        return row

    def _receive(self, job: ClipJob) -> ClipRow | None:
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            self.broken = True
            self._process.join()
            if not self._started:
                raise self._no_start(f"exit status {self._process.exitcode}") from None
            return job.rejected("WorkerDied", f"the process that tracked it ended with {self._process.exitcode}")
        if message is None:
            # The clip's time starts when the networks are loaded.
            self._started, self._since = True, time.monotonic()
        return message

    @staticmethod
    def _no_start(how: str) -> TrackError:
        return TrackError(
            f"a worker process could not start ({how})",
            remedy="Run with --processes 1 and see that the machine has memory to spare",
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, settings: SignalsSettings) -> None:
    """A worker's life: make the tracker, say so, then track clip after clip."""
    die_with_parent()
    tracker = make_tracker(settings)
    connection.send(None)
    while True:
        try:
            job: ClipJob = connection.recv()
        except EOFError:
            return
        connection.send(job.run(tracker))
