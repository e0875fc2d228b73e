import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from dreamactor_core.children import spawn, stop

_SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def _gone(pid: int, within_s: float = 60.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_stop_ends_grandchildren_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        f"import subprocess, time\np = subprocess.Popen({_SLEEPER!r})\n"
        f"open({str(note)!r}, 'w').write(str(p.pid))\ntime.sleep(60)"
    )
    child = spawn([sys.executable, "-c", code])
    while not (note.exists() and note.read_text()):
        time.sleep(0.05)
    grandchild = int(note.read_text())
    stop(child, grace_s=1.0)
    assert child.returncode is not None
    assert _gone(grandchild)


def test_stop_kills_who_ignores_the_polite_signal() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    child = spawn([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    assert stop(child, grace_s=0.3) == -9
    child.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import time\nfrom dreamactor_core.children import spawn\n"
        f"p = spawn({_SLEEPER!r})\nopen({str(note)!r}, 'w').write(str(p.pid))\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    while not (note.exists() and note.read_text()):
        time.sleep(0.05)
    os.kill(parent.pid, 9)
    parent.wait()
    assert _gone(int(note.read_text()))
