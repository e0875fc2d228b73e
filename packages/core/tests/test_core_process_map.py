"""Jobs in worker processes: all are done, each worker has its number, a killed one is told."""

import os
import signal
from pathlib import Path

import pytest
from dreamactor_core.errors import DreamactorError, InputError
from dreamactor_core.process_map import map_in_workers, worker_number


def _who(job: int) -> tuple[int, int, int]:
    return job, os.getpid(), worker_number()


def _refuse(job: int) -> int:
    if job == 1:
        raise InputError("it is torn", path="page", remedy="Glue it")
    return job


def _die(job: int) -> int:
    if job == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def test_every_worker_has_a_number_of_its_own(tmp_path: Path) -> None:
    done = list(map_in_workers(_who, range(6), 2, tmp_path))
    assert sorted(job for job, _, _ in done) == list(range(6))
    numbers = {pid: number for _, pid, number in done}
    assert os.getpid() not in numbers
    assert set(numbers.values()) <= {0, 1}
    assert len(set(numbers.values())) == len(numbers)


def test_where_one_is_enough_it_is_this_process(tmp_path: Path) -> None:
    assert list(map_in_workers(_who, [7], 4, tmp_path)) == [(7, os.getpid(), 0)]


def test_a_worker_s_error_arrives_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is torn") as caught:
        list(map_in_workers(_refuse, range(3), 2, tmp_path))
    assert (caught.value.path, caught.value.remedy) == (Path("page"), "Glue it")


def test_a_killed_worker_is_told(tmp_path: Path) -> None:
    with pytest.raises(DreamactorError, match=r"a worker process was killed\. Run it again"):
        list(map_in_workers(_die, range(3), 2, tmp_path))
