"""Clips tracked in worker processes, each with one tracker of its own."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from dreamactor_core.manifest import ClipRow
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.worker_pool import Accident, WorkerPool

from dreamactor_signals.extraction.job import ClipJob
from dreamactor_signals.trackers import make_tracker

ACCIDENTS = ("WorkerDied", "TimedOut", "TrackerError")
"""Kinds of rejection that say nothing about the clip: the next run tries it again."""


def track_clips(jobs: Sequence[ClipJob], settings: SignalsSettings) -> Iterator[ClipRow]:
    """The row of each job, tracked or rejected, as they are finished.

    Raises:
        WorkerStartError: a worker cannot even start.
    """
    prepare = partial(_tracking, settings)
    with WorkerPool(prepare, processes=settings.processes, deadline_s=settings.clip_deadline_s) as pool:
        for job, row in pool.map(jobs):
            yield job.rejected(row.kind, row.problem) if isinstance(row, Accident) else row


def _tracking(settings: SignalsSettings) -> Callable[[ClipJob], ClipRow]:
    """What a worker does: one tracker serves all its clips."""
    tracker = make_tracker(settings)
    return lambda job: job.run(tracker)
