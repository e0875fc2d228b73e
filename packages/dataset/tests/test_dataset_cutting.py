"""Videos of any rate become clips of one shot at an even rate, with their sound and their true tracks."""

import csv
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import ClipRow
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_core.video import VideoInfo, VideoWriter, probe, read_frames
from dreamactor_dataset.ingest import ingest_videos
from dreamactor_dataset.ingest.shots import CutFinder, Shot
from dreamactor_dataset.ingest.timeline import even_timeline

SETTINGS = IngestSettings(
    min_frames=5, processes=1, default_source="made", default_licence="CC0-1.0", default_consent="given"
)


def _ingest(where: Path | str, output: Path, settings: IngestSettings = SETTINGS) -> dict[str, ClipRow]:
    return {row.clip_id: row for row in ingest_videos(where, output, settings, report=lambda _: None)}


def _info(fps: Fraction, count: int, *, even: bool = True) -> VideoInfo:
    return VideoInfo(64, 48, fps, count, False, 0, even)


@pytest.mark.parametrize(
    ("fps", "taken", "rate"),
    [
        (Fraction(25), 1, Fraction(25)),
        (Fraction(30000, 1001), 1, Fraction(30000, 1001)),
        (Fraction(50), 2, Fraction(25)),
        (Fraction(60000, 1001), 2, Fraction(30000, 1001)),
        (Fraction(120), 4, Fraction(30)),
    ],
)
def test_fast_rates_are_divided(fps: Fraction, taken: int, rate: Fraction) -> None:
    timeline = even_timeline(_info(fps, 240), None, 30.0)
    assert timeline.fps == rate
    assert timeline.frames.tolist() == list(range(0, 240, taken))
    assert timeline.times_s[-1] == pytest.approx(timeline.frames[-1] / fps)


def test_uneven_rates_are_put_on_the_grid_they_were_meant_for() -> None:
    times_s = np.delete(np.arange(100) / 30, [10, 11, 12, 50]) + np.random.default_rng(0).uniform(-0.004, 0.004, 96)
    timeline = even_timeline(_info(Fraction(2900, 100), 96, even=False), np.sort(times_s), 30.0)
    assert timeline.fps == 30
    assert len(timeline.frames) == 100
    # Nobody is shown earlier or later than half a frame, but where there is nothing to show.
    late_s = np.abs(times_s[timeline.frames] - timeline.times_s)
    assert (np.delete(late_s, [10, 11, 12, 50]) < 0.5 / 30 + 0.01).all()
    assert (np.diff(timeline.frames) >= 0).all()


def _noise(seed: int, shift: int) -> np.ndarray:
    """A frame of coarse noise that moves with `shift`."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return np.roll(np.kron(small, np.ones((16, 16, 1), np.uint8)), shift, axis=1)


def test_cuts_are_found_to_the_frame_and_long_shots_parted() -> None:
    finder = CutFinder(Fraction(25), SETTINGS.cut_contrast)
    for number in range(60):
        finder.add(_noise(number // 20, number))
    assert finder.shots(100) == [Shot(0, 20), Shot(20, 40), Shot(40, 60)]
    assert [len(shot) for shot in finder.shots(15)] == [10] * 6
    still = CutFinder(Fraction(25), SETTINGS.cut_contrast)
    for _ in range(12):
        still.add(_noise(0, 0))
    assert still.shots(100) == [Shot(0, 12)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, standing_person: Callable[..., MotionTrack]) -> Path:
    """A folder of one film at 50 frames a second: shots of 40, 8 and 32 frames, a tone that starts with the third."""
    folder = tmp_path_factory.mktemp("film")
    silent = folder / ".silent.mp4"
    with VideoWriter(silent, Fraction(50), size=(128, 96), crf=12) as writer:
        for number in range(80):
            writer.write(_noise((number >= 40) + (number >= 48), number))
    with av.open(str(silent)) as original, av.open(str(folder / "film.mp4"), "w") as out:
        video, audio = out.add_stream_from_template(original.streams.video[0]), out.add_stream("aac", rate=44100)
        for packet in original.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
        tone = np.sin(2 * np.pi * 440 * np.arange(int(1.6 * 44100)) / 44100).astype(np.float32)
        tone[: int(0.96 * 44100)] = 0
        frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        frame.sample_rate = 44100
        for piece in av.AudioResampler(audio.format, audio.layout, audio.rate).resample(frame):
            out.mux(audio.encode(piece))
        out.mux(audio.encode(None))
    standing_person(80).save(folder / "film.safetensors")
    (folder / "clips.csv").write_text("clip,identity,truth_track\nfilm,ada,film.safetensors\n")
    return folder


def test_a_film_becomes_a_clip_for_each_shot(film: Path, tmp_path: Path) -> None:
    rows = _ingest(film, tmp_path / "set")
    assert [(row.clip_id, row.frame_count, row.status) for row in rows.values()] == [
        ("film.0000", 20, "kept"), ("film.0001", 4, "rejected"), ("film.0002", 16, "kept"),
    ]  # fmt: skip
    assert rows["film.0001"].reason == "too short: 4 frames, at least 5 are needed"
    assert {(row.group, row.source_video, row.split) for row in rows.values()} == {
        ("ada", "film.mp4", rows["film.0000"].split)
    }
    assert [row.start_s for row in rows.values()] == pytest.approx([0, 0.8, 0.96])
    last = tmp_path / "set" / rows["film.0002"].video
    info = probe(last)
    assert (info.fps, info.frame_count, info.constant_rate, info.has_audio) == (25, 16, True, True)
    expected = np.stack([_noise(2, number) for number in range(48, 80, 2)]).astype(int)
    assert np.abs(read_frames(last).astype(int) - expected).mean() < 6
    with av.open(str(last)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert np.abs(sound[len(sound) // 4 : len(sound) // 2]).max() > 0.5
    truth = MotionTrack.load(tmp_path / "set" / str(rows["film.0002"].truth_track))
    assert (len(truth), truth.fps) == (16, 25)
    assert np.array_equal(truth.face_units, MotionTrack.load(film / "film.safetensors").face_units[48:80:2])


def test_slow_videos_are_rejected(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    write_clip(tmp_path / "in" / "good.mp4", 8)
    with VideoWriter(tmp_path / "in" / "slow.mp4", Fraction(8), size=(96, 64)) as writer:
        for number in range(20):
            writer.write(np.ascontiguousarray(_noise(0, number)[:64, :96]))
    assert _ingest(tmp_path / "in", tmp_path / "set")["slow"].reason == "too slow: 8 frames a second, at least 12"


def test_lists_name_videos_anywhere(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    near = write_clip(tmp_path / "lists" / "near.mp4", 8, shade=1)
    far = write_clip(tmp_path / "elsewhere" / "deep" / "far.mp4", 8, shade=2)
    (tmp_path / "lists" / "all.txt").write_text(f"# videos\nnear.mp4\n{far}\ngone.mp4\n")
    rows = _ingest(str(tmp_path / "lists" / "all.txt"), tmp_path / "one")
    assert {name: row.status for name, row in rows.items()} == {
        "near": "kept", "deep__far": "kept", "gone": "rejected",
    }  # fmt: skip
    assert rows["gone"].reason == "no such file"
    with (tmp_path / "lists" / "all.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("video", "identity", "category"), (near.name, "ada", "dance"), (far, "ben", "")])
    rows = _ingest(str(tmp_path / "lists" / "all.csv"), tmp_path / "two")
    assert [(row.identity, row.category) for row in rows.values()] == [("ben", "unknown"), ("ada", "dance")]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("none.txt", "# nothing\n", "names no video"),
        ("twice.txt", "a.mp4\na.mp4\n", "a.mp4 stands twice"),
        ("bare.csv", "clip\na\n", "no column 'video'"),
    ],
)
def test_lists_that_cannot_be_used_are_refused(name: str, content: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=problem):
        _ingest(str(tmp_path / name), tmp_path / "set")
    with pytest.raises(InputError, match="no such list"):
        _ingest(str(tmp_path / "missing.txt"), tmp_path / "set")


@pytest.fixture
def bucket(write_clip: Callable[..., Path], tmp_path: Path) -> Iterator[str]:
    """A place that is no folder of this machine, with three videos and a list of clips."""
    remote = fsspec.filesystem("memory")
    for shade, name in enumerate(("a.mp4", "deep/b.mp4", "c.mp4")):
        remote.pipe(f"/bucket/raw/{name}", write_clip(tmp_path / "made" / name, 8, shade=shade).read_bytes())
    remote.pipe("/bucket/raw/clips.csv", b"clip,identity\na,ada\ndeep__b,ben\n")
    yield "memory://bucket/raw"
    remote.rm("/bucket", recursive=True)


def test_buckets_are_read_like_folders(bucket: str, tmp_path: Path) -> None:
    rows = _ingest(bucket, tmp_path / "set")
    assert [(row.clip_id, row.status) for row in rows.values()] == [("a", "kept"), ("c", "kept"), ("deep__b", "kept")]
    assert rows["a"].identity == "ada"
    assert (tmp_path / "set" / rows["a"].video).read_bytes() == (tmp_path / "made" / "a.mp4").read_bytes()
    assert not list((tmp_path / "set").glob(".fetched-*"))


def test_a_remote_file_that_fails_costs_itself_alone(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(fsspec.filesystem("memory"))
    opened = kind.open

    def broken(self: object, path: str, *rest: object, **how: object) -> object:
        if path.endswith("/c.mp4"):
            raise OSError("the far side hung up")
        return opened(self, path, *rest, **how)

    monkeypatch.setattr(kind, "open", broken)
    rows = _ingest(bucket, tmp_path / "set")
    assert {row.clip_id for row in rows.values() if row.status == "kept"} == {"a", "deep__b"}
    assert rows["c"].reason == "cannot be fetched (the far side hung up)"
