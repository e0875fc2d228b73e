"""What a user may get wrong: one clear line, exit code 2, nothing half-written."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from dreamactor_core.footage import footage

from tests.workspace import Finished, Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with one good piece of everything, and its spoilt relatives."""
    driving = footage("talking-head").read_bytes()
    (tmp_path / "good.mp4").write_bytes(driving)
    (tmp_path / "text.mp4").write_text("This is not a video, whatever its name says.\n")
    (tmp_path / "truncated.mp4").write_bytes(driving[: len(driving) // 3])
    (tmp_path / "good.png").write_bytes(footage("astronaut").read_bytes())
    slope = np.linspace(0, 255, 256, dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "nobody.png"), np.broadcast_to(slope[:, None, None], (256, 256, 3)).copy())
    return tmp_path


def animate(workspace: Workspace, files: Path, reference: str, driving: str) -> Finished:
    return workspace.dreamactor(
        "animate", "--reference", str(files / reference), "--driving", str(files / driving),
        "--output", str(files / "out" / "result.mp4"), "--max-frames", "5", "--steps", "1",
    )  # fmt: skip


def assert_one_line(done: Finished, *named: str) -> None:
    assert done.status == 2, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in named:
        assert word in errors[0]


def assert_nothing_written(files: Path) -> None:
    assert not [path for path in (files / "out").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("reference", "driving", "named"),
    [
        ("good.png", "missing.mp4", "missing.mp4"),
        ("missing.png", "good.mp4", "missing.png"),
        ("good.png", "text.mp4", "text.mp4"),
        ("good.png", "truncated.mp4", "truncated.mp4"),
        ("nobody.png", "good.mp4", "nobody.png"),
    ],
)
def test_animate_names_the_bad_file(trained: Workspace, files: Path, reference: str, driving: str, named: str) -> None:
    assert_one_line(animate(trained, files, reference, driving), named)
    assert_nothing_written(files)


@pytest.mark.parametrize("video", ["missing.mp4", "text.mp4", "truncated.mp4"])
def test_extract_names_the_bad_video(bare_workspace: Workspace, files: Path, video: str) -> None:
    output = files / "out" / "track.safetensors"
    assert_one_line(bare_workspace.dreamactor("signals", "extract", str(files / video), "-o", str(output)), video)
    assert_nothing_written(files)


def test_an_unknown_key_in_params_is_named_with_its_neighbour(bare_workspace: Workspace, tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("sampling:\n  stepz: 5\n")
    done = bare_workspace.dreamactor("settings", "show", DREAMACTOR_PARAMS=str(params))
    assert_one_line(done, "params.yaml", "sampling.stepz", "sampling.steps")


def test_a_video_given_as_speech_is_refused(bare_workspace: Workspace, files: Path) -> None:
    done = bare_workspace.dreamactor(
        "animate", "--reference", str(files / "good.png"), "--speech", str(files / "good.mp4"),
        "--output", str(files / "out" / "result.mp4"),
    )  # fmt: skip
    assert_one_line(done, "good.mp4", "not a WAV")
    assert_nothing_written(files)
