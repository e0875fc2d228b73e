"""Ranks of a training as processes that may be killed, forked from a server that has imported everything once.

So a run costs a second instead of ten, and twenty kills can be tried where one could.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from infra.local import HOST, free_port

# What a rank imports: seconds a process. The server finds installed modules only, not those beside a test.
_HEAVY = (
    "deepspeed",
    "torch._dynamo",
    "deepspeed.runtime.zero.muon.muon_optimizer",
    "dreamactor_model.training.run.trainer",
    "dreamactor_model.training.diffusion.diffusion_stage",
)
KILLED = -signal.SIGKILL

Job = TypeVar("Job")


def run_ranks(
    train: Callable[[Job, int], int], job: Job, world: int, logs: Path, *, timeout_s: float = 120.0
) -> list[int | None]:
    """Call `train(job, rank)` in each of so many ranks; when one ends badly the others are killed, as torchrun does.

    Args:
        train: a module's function; what it returns is the rank's exit status.
        logs: folder of the ranks' output.

    Returns:
        Exit statuses; negative: the signal that ended it.
    """
    logs.mkdir(parents=True, exist_ok=True)
    port = free_port()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([train.__module__, *_HEAVY])
    ranks = [context.Process(target=_enter, args=(train, job, rank, world, port, logs)) for rank in range(world)]
    for process in ranks:
        process.start()
    _wait(ranks, timeout_s)
    return [process.exitcode for process in ranks]


def alone() -> None:
    """Make this process the only rank there is."""
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    os.environ |= {"MASTER_ADDR": HOST, "MASTER_PORT": str(free_port())}


def _enter(train: Callable[[Job, int], int], job: Job, rank: int, world: int, port: int, logs: Path) -> None:
    import torch

    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
    os.environ |= {"WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world)}
    os.environ |= {"MASTER_ADDR": HOST, "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    output = (logs / f"rank-{rank}.log").open("a")
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    sys.stdout = sys.stderr = output
    status = train(job, rank)
    output.flush()
    # DeepSpeed's threads need not be waited for.
    os._exit(status)


def _wait(ranks: Sequence[BaseProcess], timeout_s: float) -> None:
    running = list(ranks)
    while running:
        ended = wait([process.sentinel for process in running], timeout_s)
        for process in [process for process in running if process.sentinel in ended]:
            process.join()
            running.remove(process)
        failed = any(process.exitcode for process in ranks)
        if not ended or failed:
            for process in running:
                process.join(5 if failed else 0)
                process.kill()


def kill_at_operation(count: int, folder: Path) -> None:
    """End this process at its count-th operation on files of the folder: Python announces each of them."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if not event.startswith(("open", "os.", "shutil.")) or not any(str(folder) in str(one) for one in arguments):
            return
        seen += 1
        if seen == count:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
