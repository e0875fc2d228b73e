"""A worker that dies or hangs costs the job it was at and no other."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from dreamactor_core.worker_pool import Accident, WorkerPool, WorkerStartError


def _counting() -> Callable[[str], tuple[int, str]]:
    return _do


def _do(job: str) -> tuple[int, str]:
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "hang":
        time.sleep(60)
    return os.getpid(), job.upper()


def _broken() -> Callable[[str], str]:
    raise SystemExit(3)


def test_the_rest_goes_on_when_workers_die_and_hang() -> None:
    with WorkerPool(_counting, processes=2, deadline_s=1.5) as pool:
        done = dict(pool.map(["a", "die", "b", "hang", "c"]))
        again = dict(pool.map(["d", "e"]))
    assert [done[name][1] for name in "abc"] == ["A", "B", "C"]
    assert done["die"] == Accident("WorkerDied", "its process ended with -9")
    assert isinstance(done["hang"], Accident)
    assert done["hang"].reason == "TimedOut: not done after 1.5 s"
    assert [again[name][1] for name in "de"] == ["D", "E"]
    assert os.getpid() not in {result[0] for result in again.values()}


def test_a_worker_that_cannot_start_is_an_error() -> None:
    with pytest.raises(WorkerStartError, match="exit status 3"), WorkerPool(_broken, processes=1, deadline_s=5) as pool:
        list(pool.map(["a"]))
