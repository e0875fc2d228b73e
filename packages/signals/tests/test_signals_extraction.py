"""`dreamactor signals extract`: one video, manifests, resuming, bad clips."""

import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.cli import build_app
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.footage import footage
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.video import VideoWriter, read_frames
from dreamactor_signals.extraction import extract_manifest
from typer.testing import CliRunner

FPS = Fraction(25)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a person, an empty room and a text file that pretends."""
    try:
        source = footage("talking-head")
    except InputError as error:
        pytest.skip(error.line())
    folder = tmp_path_factory.mktemp("clips")
    _write(folder / "person.mp4", read_frames(source, range(6)))
    _write(folder / "room.mp4", np.full((6, 144, 176, 3), 90, np.uint8))
    (folder / "text.mp4").write_text("not a video")
    return folder


def _write(path: Path, frames: np.ndarray) -> None:
    with VideoWriter(path, FPS, size=(frames.shape[2], frames.shape[1])) as writer:
        for frame in frames:
            writer.write(frame)


def _row(video: Path, **changes: object) -> ClipRow:
    row = {
        "clip_id": video.stem, "video": video.name, "sha256": sha256_file(video), "width": 176, "height": 144,
        "fps_num": 25, "fps_den": 1, "frame_count": 6, "source": "test", "identity": video.stem, "category": "talking",
        "licence": "CC0", "consent": "given", "split": "train", "synthetic": False,
    }  # fmt: skip
    return ClipRow.model_validate(row | changes)


def test_a_manifest_is_tracked_and_bad_clips_stop_nothing(clips: Path, tmp_path: Path) -> None:
    videos = sorted(clips.glob("*.mp4"))
    rows = [_row(video) for video in videos]
    rows.append(_row(clips / "person.mp4", clip_id="unlicensed", status="quarantined", reason="no licence"))
    rows.append(_row(clips / "person.mp4", clip_id="changed", sha256=hashlib.sha256(b"before").hexdigest()))
    write_manifest(clips / "manifest.parquet", rows)
    made = extract_manifest(clips / "manifest.parquet", tmp_path / "out", SignalsSettings(processes=2))
    result = {row.clip_id: row for row in read_manifest(made)}
    person = result["person"]
    assert (person.status, person.track, person.framing) == ("kept", "tracks/person.safetensors", "portrait")
    assert sha256_file(made.parent / person.video) == person.sha256
    track = MotionTrack.load(made.parent / "tracks/person.safetensors")
    assert len(track) == 6
    assert track.fps == FPS
    assert track.source_sha256 == person.sha256
    assert {name: result[name].status for name in ("room", "text", "changed", "unlicensed")} == {
        "room": "rejected", "text": "rejected", "changed": "rejected", "unlicensed": "quarantined",
    }  # fmt: skip
    assert "no person found in 6 frames" in str(result["room"].reason)
    assert "changed" in str(result["changed"].reason)
    assert sorted(path.name for path in (made.parent / "tracks").iterdir()) == ["person.safetensors"]


def test_a_track_that_is_there_is_kept_and_one_of_another_video_made_again(clips: Path, tmp_path: Path) -> None:
    write_manifest(clips / "one.parquet", [_row(clips / "person.mp4")])
    settings = SignalsSettings(processes=1)
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    path = tmp_path / "tracks/person.safetensors"
    before = path.stat().st_mtime_ns
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"half written")
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    assert len(MotionTrack.load(path)) == 6


def test_the_command_writes_a_track(clips: Path, tmp_path: Path) -> None:
    output = tmp_path / "deep/track.safetensors"
    result = CliRunner().invoke(build_app(), ["signals", "extract", str(clips / "person.mp4"), "-o", str(output)])
    assert result.exit_code == 0, result.output
    track = MotionTrack.load(output)
    assert set(track.trackers) == {"body", "hands", "face"}
    assert track.face_confidence.min() > 0.5


@pytest.mark.parametrize(
    ("name", "problem"), [("room.mp4", "no person"), ("text.mp4", "video"), ("absent.mp4", "no such file")]
)
def test_the_command_refuses_bad_videos_by_name_and_writes_nothing(
    clips: Path, tmp_path: Path, name: str, problem: str
) -> None:
    output = tmp_path / "track.safetensors"
    result = CliRunner().invoke(build_app(), ["signals", "extract", str(clips / name), "-o", str(output)])
    assert isinstance(result.exception, InputError)
    assert result.exception.path == clips / name
    assert problem in result.exception.line()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["a.mp4", "--manifest", "b.parquet"]])
def test_the_command_wants_one_video_or_one_manifest(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(build_app(), ["signals", "extract", *arguments, "-o", str(tmp_path / "out")])
    assert isinstance(result.exception, InputError)
    assert "either" in result.exception.line()
