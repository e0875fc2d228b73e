"""Who works on the videos: worker processes that may die or hang, or this one."""

from collections.abc import Callable, Iterator, Sequence
from operator import methodcaller
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_core.worker_pool import Accident, WorkerPool


class Job(Protocol):
    """Something to be done with a video."""

    def run(self) -> Any:
        """Do it. What is wrong with the video is a result, never an exception."""


SomeJob = TypeVar("SomeJob", bound=Job)


class Jobs:
    """`with Jobs(settings) as jobs: for job, result in jobs.run(some): ...`"""

    def __init__(self, settings: IngestSettings) -> None:
        self._here = settings.processes == 1
        self._pool: WorkerPool[Any, Any] = WorkerPool(
            _runner, processes=settings.processes, deadline_s=settings.video_deadline_s
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, trace)

    def run(self, jobs: Sequence[SomeJob]) -> Iterator[tuple[SomeJob, Any | Accident]]:
        """Each job with its result, as they are finished."""
        if self._here:
            yield from ((job, job.run()) for job in jobs)
        else:
            yield from self._pool.map(jobs)


def _runner() -> Callable[[Job], Any]:
    return methodcaller("run")
