"""Run a command so that its whole process tree ends with us: `python -m dreamactor_core.supervisor COMMAND ARG ...`.

`children.spawn` kills its child at once when the parent goes. A trainer wants a warning first, so that it can save, and
DVC leaves its stage command alive when it is stopped. The supervisor stands between: on SIGTERM, on SIGINT, when its
terminal hangs up and when its parent dies (however it dies) it sends SIGTERM to the command's process group, waits
until all descendants are gone, and only then kills what is left.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

import psutil

from dreamactor_core.children import die_with_parent

GRACE_S = 60.0
_POLL_S = 0.1
_PR_SET_CHILD_SUBREAPER = 36
_REQUESTS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class _Stopped(Exception):  # noqa: N818 - a request, not an error
    """Somebody wants the command to end."""


def supervise(command: Sequence[str], grace_s: float = GRACE_S) -> int:
    """Run the command to its end or to ours. Returns its exit status (negative: the signal that ended it)."""
    for number in _REQUESTS:
        signal.signal(number, _stop)
    _adopt_orphans()
    die_with_parent(signal.SIGTERM)
    child = subprocess.Popen(list(command), start_new_session=True)
    try:
        return child.wait()
    except _Stopped:
        os.killpg(child.pid, signal.SIGTERM)
        _wait_for_descendants(grace_s)
        return -signal.SIGTERM
    finally:
        for left in _descendants():
            left.kill()


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is Python's
    # A second request must not interrupt the wait for the first.
    for other in _REQUESTS:
        signal.signal(other, signal.SIG_IGN)
    raise _Stopped


def _adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is lost from sight (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _wait_for_descendants(grace_s: float) -> None:
    deadline = time.monotonic() + grace_s
    while _descendants() and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _descendants() -> list[psutil.Process]:
    """Everything below us that still runs. Zombies do not count: they are gone but for their exit status."""
    living = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
        except psutil.NoSuchProcess:
            continue
    return living


if __name__ == "__main__":
    status = supervise(sys.argv[1:])
    # A shell's convention: 128 + N for a command that signal N ended.
    sys.exit(status if status >= 0 else 128 - status)
