"""The supervisor: nothing it started outlives it, and what it started is warned first."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

# A command that leaves a grandchild behind when it is stopped, as DVC does; the grandchild saves before it goes.
LEAVER = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {saver!r}])
print(child.pid, flush=True)
child.wait()
"""
SAVER = """
import signal, sys, time, pathlib
def save(*_):
    time.sleep(0.5)
    pathlib.Path({saved!r}).write_text("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
pathlib.Path({saved!r} + ".ready").touch()
time.sleep(60)
"""


def supervised(code: str) -> list[str]:
    return [sys.executable, "-m", "dreamactor_core.supervisor", sys.executable, "-c", code]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never appeared"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(7)", 7), ("", 0)])
def test_the_status_of_the_command_is_handed_on(code: str, status: int) -> None:
    assert subprocess.run(supervised(code), check=False).returncode == status


def test_a_signalled_command_gives_the_shells_status() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run(supervised(code), check=False).returncode == 128 + signal.SIGKILL


def test_sigterm_lets_grandchildren_save_and_waits_for_them(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    code = LEAVER.format(saver=SAVER.format(saved=str(saved)))
    process = subprocess.Popen(supervised(code), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    wait_for(tmp_path / "saved.ready")

    process.terminate()

    assert process.wait(20) == 128 + signal.SIGTERM
    assert saved.read_text() == "saved"
    assert not is_alive(grandchild)


def test_nothing_lives_on_when_the_parent_is_killed(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    code = LEAVER.format(saver=SAVER.format(saved=str(saved)))
    parent_code = (
        f"import sys, time; from dreamactor_core.children import spawn; spawn({supervised(code)!r}); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    grandchild = int(parent.stdout.readline())
    wait_for(tmp_path / "saved.ready")

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)

    deadline = time.monotonic() + 60
    while is_alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_alive(grandchild)
    assert saved.read_text() == "saved"
