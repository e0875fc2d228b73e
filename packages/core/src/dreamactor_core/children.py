"""Child processes that can be killed whole and that never outlive their parent."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Ask Linux to signal this process when its parent ends, however the parent ends. A no-op on other systems."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


def spawn(
    command: Sequence[str],
    *,
    stdin: int | IO[Any] | None = subprocess.DEVNULL,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a command as leader of its own process group, tied to this process's life.

    The tie is to the *thread* that spawns: keep that thread alive for as long as the child is wanted.
    """
    return subprocess.Popen(
        list(command),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=None if environment is None else {**os.environ, **environment},
        cwd=cwd,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def stop(process: "subprocess.Popen[bytes]", grace_s: float = 5.0) -> int:
    """End a child and its whole group: SIGTERM, then SIGKILL after the grace time. Returns its exit status."""
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace_s)
    # Grandchildren may outlive the leader: the group is killed even when the leader has gone.
    _signal_group(process.pid, signal.SIGKILL)
    return process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
