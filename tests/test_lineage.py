"""DVC behind its module, in small workspaces of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dreamactor_core.errors import LineageError
from dreamactor_core.lineage import TransientLineageError, data_versions, heal_lock, output_hashes, reproduce

STAGES = """
stages:
  clips:
    cmd: mkdir -p data/clips && echo one > data/clips/manifest
    outs: [data/clips]
  signals:
    cmd: {command}
    deps: [data/clips]
    outs: [data/signals]
  shards:
    cmd: mkdir -p data/shards && cp data/signals/manifest data/shards/
    deps: [data/signals]
    outs: [data/shards]
"""
COPY = "mkdir -p data/signals && cp data/clips/manifest data/signals/"


def write_stages(workspace: Path, command: str) -> None:
    (workspace / "dvc.yaml").write_text(STAGES.format(command=json.dumps(command)))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, check=True)
    write_stages(tmp_path, COPY)
    return tmp_path


def test_reproduce_runs_what_is_out_of_date_and_nothing_else(workspace: Path) -> None:
    said: list[str] = []
    assert reproduce(["signals"], root=workspace, report=said.append) == ["clips", "signals"]
    assert reproduce(["signals"], root=workspace, report=said.append) == []
    assert "stage signals runs" in said
    assert len(list((workspace / "runs" / "logs").glob("*.log"))) == 2


def test_versions_are_the_hashes_of_dvc_lock(workspace: Path) -> None:
    assert data_versions(workspace) == {}
    reproduce(root=workspace, report=lambda _: None)
    versions = data_versions(workspace)
    assert versions == {
        "data_version": output_hashes(workspace)["data/shards"],
        "signals_version": output_hashes(workspace)["data/signals"],
    }
    assert all(len(version.removesuffix(".dir")) == 32 for version in versions.values())


def test_a_failed_stage_names_its_status_reason_and_log(workspace: Path) -> None:
    write_stages(workspace, "echo 'error: clip 7 is empty' && exit 2")
    with pytest.raises(LineageError, match="status 2: clip 7 is empty") as caught:
        reproduce(["signals"], root=workspace, report=lambda _: None)
    assert not isinstance(caught.value, TransientLineageError)
    assert caught.value.path is not None
    assert "clip 7" in (workspace / caught.value.path).read_text()


@pytest.mark.parametrize(("signal_name", "transient"), [("TERM", True), ("KILL", False)])
def test_only_an_interruption_is_worth_another_try(workspace: Path, signal_name: str, transient: bool) -> None:
    write_stages(workspace, f"sh -c 'kill -{signal_name} $$'")
    with pytest.raises(LineageError) as caught:
        reproduce(["signals"], root=workspace, report=lambda _: None)
    assert isinstance(caught.value, TransientLineageError) is transient


def test_a_lock_left_half_written_is_healed(workspace: Path) -> None:
    lock = workspace / ".dvc" / "tmp" / "rwlock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_bytes(b"")
    assert reproduce(root=workspace, report=lambda _: None) == ["clips", "signals", "shards"]


def test_a_lock_is_left_alone_while_a_dvc_lives_here(workspace: Path) -> None:
    write_stages(workspace, f"touch started && sleep 30 && {COPY}")
    process = subprocess.Popen([sys.executable, "-m", "dvc", "repro", "-q"], cwd=workspace, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not (workspace / "started").exists():
            assert time.monotonic() < deadline, "the stage never started"
            time.sleep(0.1)
        lock = workspace / ".dvc" / "tmp" / "rwlock"
        with pytest.raises(TransientLineageError, match="same files"):
            reproduce(["signals"], root=workspace, report=lambda _: None)
        lock.write_bytes(b"")
        with pytest.raises(TransientLineageError, match=str(process.pid)):
            heal_lock(workspace)
        assert lock.exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert heal_lock(workspace)
    assert not lock.exists()
