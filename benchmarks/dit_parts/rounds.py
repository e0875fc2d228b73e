"""Timing several things against each other: in turns, so that whatever else the machine does falls on all alike."""

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch


def interleaved_medians_s(
    calls: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds of each call over `rounds` turns, after one that does not count.

    Args:
        clock: wall time; calls of many seconds on a busy machine want `time.process_time`.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            _wait()
            start = clock()
            call()
            _wait()
            if turn:
                seconds[name].append(clock() - start)
    return {name: median(values) for name, values in seconds.items()}


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
