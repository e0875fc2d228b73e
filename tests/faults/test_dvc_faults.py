"""F12: locks that a killed DVC leaves are healed, and only if nobody owns them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dreamactor_core.lineage import TransientLineageError, heal_lock, reproduce

from tests.small_lineage import COPY, new_workspace, write_stages


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return new_workspace(tmp_path)


def _lock(workspace: Path) -> Path:
    return workspace / ".dvc" / "tmp" / "rwlock"


def _start_slow_stage(workspace: Path) -> "subprocess.Popen[bytes]":
    """A real `dvc repro` in the middle of a stage."""
    write_stages(workspace, f"touch started && sleep 120 && {COPY}")
    process = subprocess.Popen([sys.executable, "-m", "dvc", "repro", "-q"], cwd=workspace, start_new_session=True)
    deadline = time.monotonic() + 180
    while not (workspace / "started").exists():
        assert time.monotonic() < deadline, "the stage never started"
        time.sleep(0.1)
    return process


def _kill(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_f12_a_lock_left_half_written_is_healed(workspace: Path) -> None:
    _lock(workspace).parent.mkdir(exist_ok=True)
    _lock(workspace).write_bytes(b"")
    assert reproduce(["signals"], root=workspace, report=lambda _: None) == ["clips", "signals"]


def test_f12_what_a_killed_dvc_held_is_free_again(workspace: Path) -> None:
    _kill(_start_slow_stage(workspace))
    held = json.loads(_lock(workspace).read_text())
    assert held, "DVC held nothing when it was killed"
    write_stages(workspace, COPY)
    assert reproduce(["signals"], root=workspace, report=lambda _: None) == ["signals"]


def test_f12_a_lock_is_left_alone_while_a_dvc_lives_here(workspace: Path) -> None:
    process = _start_slow_stage(workspace)
    try:
        with pytest.raises(TransientLineageError, match="same files"):
            reproduce(["signals"], root=workspace, report=lambda _: None)
        _lock(workspace).write_bytes(b"")
        with pytest.raises(TransientLineageError, match=str(process.pid)):
            heal_lock(workspace)
        assert _lock(workspace).exists()
    finally:
        _kill(process)
    assert heal_lock(workspace)
    assert not _lock(workspace).exists()
