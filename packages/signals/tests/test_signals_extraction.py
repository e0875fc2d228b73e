"""`dreamactor signals extract`: one video, manifests, resuming, bad clips."""

import hashlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

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
from dreamactor_signals.extraction import Share, extract_manifest, workers
from dreamactor_signals.extraction.job import ClipJob
from dreamactor_signals.extraction.shards import is_tracked
from dreamactor_signals.trackers import make_tracker
from hypothesis import given
from hypothesis import strategies as st
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


def _write(path: Path, frames: np.ndarray, fps: Fraction = FPS) -> None:
    with VideoWriter(path, fps, size=(frames.shape[2], frames.shape[1])) as writer:
        for frame in frames:
            writer.write(frame)


def _row(video: Path, **changes: object) -> ClipRow:
    row = {
        "clip_id": video.stem, "video": video.name, "width": 176, "height": 144,
        "sha256": str(changes.get("sha256") or sha256_file(video)),
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
    # Without the shard's record the track itself decides.
    _forget(tmp_path)
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    assert path.stat().st_mtime_ns == before
    _forget(tmp_path)
    path.write_bytes(b"half written")
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    assert len(MotionTrack.load(path)) == 6
    path.unlink()
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    assert len(MotionTrack.load(path)) == 6


def _forget(output: Path) -> None:
    for record in (output / "shards").iterdir():
        record.unlink()


def test_other_settings_make_other_tracks_and_leave_no_old_records(clips: Path, tmp_path: Path) -> None:
    write_manifest(clips / "one.parquet", [_row(clips / "person.mp4")])
    tracks = []
    for degrees in (55.0, 70.0):
        extract_manifest(clips / "one.parquet", tmp_path, SignalsSettings(processes=1, field_of_view_deg=degrees))
        tracks.append(MotionTrack.load(tmp_path / "tracks/person.safetensors"))
    assert tracks[0].focal_px > tracks[1].focal_px
    assert len(list((tmp_path / "shards").iterdir())) == 1


def test_tracks_of_another_second_look_are_made_again(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(clips / "one.parquet", [_row(clips / "person.mp4")])
    settings, track = SignalsSettings(processes=1), tmp_path / "tracks/person.safetensors"
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    first = track.stat().st_mtime_ns
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    assert track.stat().st_mtime_ns == first
    monkeypatch.setattr("dreamactor_signals.extraction.shards.FLOW_VERSION", 0)
    extract_manifest(clips / "one.parquet", tmp_path, settings)
    assert track.stat().st_mtime_ns != first


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def many(clips: Path) -> Path:
    """A manifest of five clips: two of them bad, one not to be tracked."""
    rows = [
        _row(clips / "person.mp4", clip_id="a"),
        _row(clips / "room.mp4", clip_id="b"),
        _row(clips / "person.mp4", clip_id="c", status="quarantined", reason="no licence"),
        _row(clips / "text.mp4", clip_id="d"),
        _row(clips / "person.mp4", clip_id="e"),
    ]
    write_manifest(clips / "many.parquet", rows)
    return clips / "many.parquet"


@pytest.fixture(scope="module")
def at_once(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of it in one go, two clips a shard."""
    output = tmp_path_factory.mktemp("extracted") / "out"
    extract_manifest(many, output, SignalsSettings(processes=1, shard_clips=2))
    return output


def test_processes_shares_and_interruptions_leave_the_same_bytes(many: Path, at_once: Path, tmp_path: Path) -> None:
    settings = SignalsSettings(processes=3, shard_clips=2)
    output = at_once.parent / "in-parts"
    assert extract_manifest(many, output, settings, share=Share(2, 2)) is None
    assert not (output / "manifest.parquet").exists()
    assert [path.name[:5] for path in (output / "shards").iterdir()] == ["00001"]
    extract_manifest(many, output, settings, share=Share(1, 2))
    assert _files(output) == _files(at_once)
    # Broken off after one track, before any record.
    broken = at_once.parent / "broken"
    (broken / "tracks").mkdir(parents=True)
    shutil.copy(at_once / "tracks/e.safetensors", broken / "tracks")
    extract_manifest(many, broken, settings)
    assert _files(broken) == _files(at_once)


def test_training_clips_with_truth_need_no_tracking(clips: Path, tmp_path: Path) -> None:
    exact = {"truth_track": "truth.safetensors"}
    write_manifest(
        clips / "exact.parquet",
        [
            _row(clips / "room.mp4", clip_id="exact", **exact),
            _row(clips / "person.mp4", clip_id="held-out", split="test", **exact),
            _row(clips / "person.mp4", clip_id="without"),
        ],
    )
    made = extract_manifest(clips / "exact.parquet", tmp_path / "out", SignalsSettings(tracked_share=0, processes=1))
    assert made is not None
    rows = {row.clip_id: row for row in read_manifest(made)}
    assert {name: (row.status, row.track is not None) for name, row in rows.items()} == {
        "exact": ("kept", False),
        "held-out": ("kept", True),
        "without": ("kept", True),
    }
    assert (made.parent / str(rows["exact"].truth_track)).resolve() == clips.resolve() / "truth.safetensors"


def test_a_larger_share_holds_the_smaller_one() -> None:
    rows = [_row(Path("a.mp4"), clip_id=str(number), sha256="0" * 64, truth_track="a") for number in range(400)]
    few, more = (
        {row.clip_id for row in rows if is_tracked(row, SignalsSettings(tracked_share=share))} for share in (0.25, 0.5)
    )
    assert few < more
    assert len(few) == pytest.approx(100, abs=30)


def test_reasons_name_the_kind_of_error(at_once: Path) -> None:
    rows = {row.clip_id: row for row in read_manifest(at_once / "manifest.parquet")}
    assert str(rows["b"].reason).startswith("NoPersonError: no person found")
    assert str(rows["d"].reason).startswith("DecodeError: ")
    assert (rows["c"].status, rows["c"].reason) == ("quarantined", "no licence")


class _Murderous:
    """A tracker whose process ends, or hangs, or works, as the clip's rate tells."""

    def __init__(self, settings: SignalsSettings) -> None:
        self._tracker = make_tracker(settings)

    def track(self, frames: Iterable[np.ndarray], fps: Fraction, *rest: Any) -> MotionTrack:
        if fps == 10:
            os.kill(os.getpid(), signal.SIGKILL)
        if fps == 12:
            time.sleep(600)
        return self._tracker.track(frames, fps, *rest)


def _tracking_murderously(settings: SignalsSettings) -> Callable[[ClipJob], ClipRow]:
    workers.make_tracker = _Murderous
    return _TRACKING(settings)


_TRACKING = workers._tracking


def test_a_process_that_dies_or_hangs_costs_its_own_clip_and_is_tried_again(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = read_frames(clips / "person.mp4")
    rows = []
    for name, fps in {"dies": 10, "hangs": 12, "lives": 25, "more": 25}.items():
        _write(tmp_path / f"{name}.mp4", frames, Fraction(fps))
        rows.append(_row(tmp_path / f"{name}.mp4"))
    write_manifest(tmp_path / "in.parquet", rows)
    settings = SignalsSettings(processes=2, clip_deadline_s=10)
    monkeypatch.setattr(workers, "_tracking", _tracking_murderously)
    extract_manifest(tmp_path / "in.parquet", tmp_path / "out", settings)
    result = {row.clip_id: row for row in read_manifest(tmp_path / "out/manifest.parquet")}
    assert {name: row.status for name, row in result.items()} == {
        "dies": "rejected", "hangs": "rejected", "lives": "kept", "more": "kept",
    }  # fmt: skip
    assert result["dies"].reason == "WorkerDied: its process ended with -9"
    assert result["hangs"].reason == "TimedOut: not done after 10 s"
    monkeypatch.undo()
    extract_manifest(tmp_path / "in.parquet", tmp_path / "out", settings)
    assert {row.status for row in read_manifest(tmp_path / "out/manifest.parquet")} == {"kept"}


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="no part of a whole"):
        Share.parse(text)


@given(st.integers(1, 40), st.integers(1, 9))
def test_every_shard_belongs_to_exactly_one_share(shards: int, count: int) -> None:
    shares = [Share.parse(f"{number}/{count}") for number in range(1, count + 1)]
    assert all(sum(share.holds(index) for share in shares) == 1 for index in range(shards))


def test_the_command_writes_a_track(clips: Path, tmp_path: Path) -> None:
    output = tmp_path / "deep/track.safetensors"
    result = CliRunner().invoke(build_app(), ["signals", "extract", str(clips / "person.mp4"), "-o", str(output)])
    assert result.exit_code == 0, result.output
    track = MotionTrack.load(output)
    assert set(track.trackers) == {"body", "hands", "face", "lifting"}
    assert track.face_confidence.min() > 0.5
    assert track.scenery_motion is not None
    assert track.surface_motion is not None


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


def test_the_command_does_its_share_of_a_manifest(many: Path, at_once: Path, tmp_path: Path) -> None:
    options = ["--set", "signals.shard_clips=2", "--processes", "1"]
    # The tracks are there: what is left is to judge the bad clips and to write the records.
    shutil.copytree(at_once / "tracks", tmp_path / "tracks")
    for number in ("1", "2"):
        assert not (tmp_path / "manifest.parquet").exists()
        command = [
            "signals",
            "extract",
            "--manifest",
            str(many),
            "-o",
            str(tmp_path),
            "--share",
            f"{number}/2",
            *options,
        ]
        result = CliRunner().invoke(build_app(), command)
        assert result.exit_code == 0, result.output
    assert [row.status for row in read_manifest(tmp_path / "manifest.parquet")] == [
        "kept", "rejected", "quarantined", "rejected", "kept",
    ]  # fmt: skip
