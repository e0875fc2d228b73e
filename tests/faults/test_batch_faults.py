"""F16: a batch that is killed at some job does only the rest when it is run again, and never shows half a video."""

import csv
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dreamactor_core.footage import footage
from dreamactor_core.provenance.verification import verify_video

from benchmarks.evaluation_parts.batch import untrained_model
from tests.workspace import BIN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
JOBS = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An untrained model, and a table of jobs that differ by their seeds."""
    untrained_model(tmp_path)
    rows = [
        f"{footage('astronaut')},{footage('talking-head')},public domain,{tmp_path}/out/{seed}.mp4,{seed},1,5\n"
        for seed in range(JOBS)
    ]
    (tmp_path / "jobs.csv").write_text("reference,driving,consent,output,seed,steps,max_frames\n" + "".join(rows))
    return tmp_path


def _start(folder: Path) -> "subprocess.Popen[bytes]":
    command = [str(BIN / "dreamactor"), "animate-batch", "jobs.csv", "--checkpoint", "model", "--report", "reports"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"))


def _videos(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "out").glob("*.mp4") if not path.name.startswith("."))


@pytest.fixture
def batch(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = _start(folder)
    yield process
    process.kill()
    process.wait()


def test_f16_a_batch_killed_at_some_job_does_only_the_rest(folder: Path, batch: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 180
    while len(_videos(folder)) < 2:
        assert batch.poll() is None, (folder / "log").read_text()[-3000:]
        assert time.monotonic() < deadline, "no videos come"
        time.sleep(0.05)
    batch.kill()
    batch.wait()
    before = {video: video.stat().st_mtime_ns for video in _videos(folder)}
    assert 2 <= len(before) < JOBS, "the batch was over before it was killed"
    for video in before:
        assert verify_video(video).record["consent"] == "public domain"

    again = _start(folder)
    assert again.wait(240) == 0, (folder / "log").read_text()[-3000:]
    outcomes = list(csv.DictReader((folder / "reports" / "jobs" / "outcomes.csv").read_text().splitlines()))
    kept = [outcome for outcome in outcomes if outcome["status"] == "kept"]
    assert {Path(outcome["output"]) for outcome in kept} == set(before)
    assert [outcome["status"] for outcome in outcomes].count("done") == JOBS - len(before)
    assert {video: video.stat().st_mtime_ns for video in before} == before
    assert len(_videos(folder)) == JOBS
    for video in _videos(folder):
        verify_video(video)
