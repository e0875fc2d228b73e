"""Jobs in worker processes that die with their parent; a killed one is told plainly.

For work that is certain; `worker_pool` is for jobs that may hang or take their process with them.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TypeVar

from dreamactor_core.children import die_with_parent
from dreamactor_core.errors import DreamactorError

Job = TypeVar("Job")
Made = TypeVar("Made")
_number = 0


def worker_number() -> int:
    """Of the worker process this runs in, 0 for the first: which GPU is its own. 0 outside of workers."""
    return _number


def map_in_workers(make: Callable[[Job], Made], jobs: Sequence[Job], processes: int, folder: Path) -> Iterator[Made]:
    """What `make` returns for each job, in the order in which they finish; in this process where one is enough.

    Args:
        make: a module's function, or a partial of one: it travels to the workers.
        folder: what is being made, for the message.

    Raises:
        DreamactorError: a worker process was killed.
    """
    processes = min(processes, len(jobs))
    if processes <= 1:
        yield from map(make, jobs)
        return
    # Spawned, not forked: threads of the parent would leave locks behind in a fork.
    context = multiprocessing.get_context("spawn")
    numbers = context.SimpleQueue()
    for number in range(processes):
        numbers.put(number)
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(numbers,)) as pool:
        try:
            for done in as_completed([pool.submit(make, job) for job in jobs]):
                yield done.result()
        except BrokenProcessPool as problem:
            remedy = "Run it again: what is finished is kept. If memory ran out, use fewer processes"
            raise DreamactorError("a worker process was killed", path=folder, remedy=remedy) from problem
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _begin(numbers: "SimpleQueue[int]") -> None:
    global _number
    die_with_parent()
    _number = numbers.get()
