"""Batches made beside the training: while a micro-batch is learnt from, a thread makes the next ones."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from dreamactor_model.training.task import Batch, StageTask

_AHEAD = 2


def prefetched(task: StageTask, places: Iterable[tuple[int, int]]) -> Iterator[Batch]:
    """The batches at (step, slot) places, in that order; what fails in making one is raised in its place."""
    waiting: deque[Future[Batch]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
    try:
        for step, slot in places:
            waiting.append(pool.submit(task.batch, step, slot))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
