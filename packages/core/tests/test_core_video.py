import subprocess
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
import pytest
from dreamactor_core.errors import DecodeError, InputError
from dreamactor_core.video import VideoWriter, open_video, probe, read_frame_times_s, read_frames


def test_written_video_reads_back(small_video: Path) -> None:
    info = probe(small_video)
    assert (info.width, info.height, info.fps, info.frame_count, info.has_audio) == (64, 48, Fraction(25), 20, False)
    frames = read_frames(small_video)
    assert frames.shape == (20, 48, 64, 3)
    assert np.abs(frames[:, 0, 60].astype(int) - 10 * np.arange(20)[:, None]).max() <= 6


def test_frames_come_in_the_order_asked(small_video: Path) -> None:
    frames = read_frames(small_video, [7, 2, 7])
    assert np.abs(frames[:, 0, 60, 0].astype(int) - [70, 20, 70]).max() <= 6


def test_index_outside_the_video_is_refused(small_video: Path) -> None:
    with pytest.raises(InputError, match="frames 0 to 19"):
        read_frames(small_video, [20])


@pytest.mark.parametrize("width", [16, 48, 72, 80, 98])
def test_any_width_is_read(tmp_path: Path, width: int) -> None:
    with VideoWriter(tmp_path / "narrow.mp4", Fraction(25), size=(width, 64), crf=4) as writer:
        for level in (20, 60, 100):
            writer.write(np.full((64, width, 3), level, np.uint8))
    frames = read_frames(tmp_path / "narrow.mp4", [2, 0])
    assert frames.shape == (2, 64, width, 3)
    assert np.abs(frames.astype(int).mean(axis=(1, 2, 3)) - [100, 20]).max() < 3


def test_stopping_early_ends_the_child(small_video: Path) -> None:
    with open_video(small_video) as video:
        next(iter(video))
        process = video._request._decoder.process
    assert process.returncode is not None


def _with_tone(path: Path, source: Path, codec: str, *, silent_s: float = 0.0) -> None:
    """The video of `source` with a second of a 440 Hz tone, after some silence within that second."""
    with av.open(str(source)) as original, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(original.streams.video[0])
        audio = out.add_stream(codec, rate=44100)
        for packet in original.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
        tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100).astype(np.float32)
        tone[: int(silent_s * 44100)] = 0
        frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        frame.sample_rate = 44100
        resampler = av.AudioResampler(audio.format, audio.layout, audio.rate)
        for piece in resampler.resample(frame):
            out.mux(audio.encode(piece))
        out.mux(audio.encode(None))


@pytest.mark.parametrize(("codec", "suffix"), [("aac", ".mp4"), ("pcm_s16le", ".mov")])
def test_audio_is_carried_over_and_cut_to_length(tmp_path: Path, small_video: Path, codec: str, suffix: str) -> None:
    source = tmp_path / f"tone{suffix}"
    _with_tone(source, small_video, codec)
    target = tmp_path / "out.mp4"
    with VideoWriter(target, Fraction(25), size=(64, 48), audio_from=source) as writer:
        for _ in range(10):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    with av.open(str(target)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        assert container.streams.audio[0].codec_context.name == "aac"
    assert samples / 44100 == pytest.approx(0.4, abs=0.06)
    assert probe(target).frame_count == 10


@pytest.mark.parametrize(("codec", "suffix"), [("aac", ".mp4"), ("pcm_s16le", ".mov")])
def test_audio_of_a_part_begins_where_the_part_does(tmp_path: Path, small_video: Path, codec: str, suffix: str) -> None:
    source, target = tmp_path / f"tone{suffix}", tmp_path / "out.mp4"
    _with_tone(source, small_video, codec, silent_s=0.5)
    with VideoWriter(target, Fraction(25), size=(64, 48), audio_from=source, audio_start_s=0.5) as writer:
        for _ in range(10):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    with av.open(str(target)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(samples) / 44100 == pytest.approx(0.4, abs=0.06)
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    assert np.abs(middle).max() > 0.5


def _with_gaps(path: Path, source: Path, pauses: dict[int, int]) -> None:
    """The video of `source`, frame n shown pauses[n] frames later than the one before demands."""
    with av.open(str(source)) as original, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(original.streams.video[0])
        frame_ticks = int(1 / (25 * original.streams.video[0].time_base))
        shown = sorted(p.pts for p in original.demux(video=0) if p.pts is not None)
        original.seek(0)
        shift = {pts: frame_ticks * sum(extra for n, extra in pauses.items() if n <= i) for i, pts in enumerate(shown)}
        for packet in original.demux(video=0):
            if packet.dts is not None:
                late = shift[packet.pts]
                packet.pts, packet.dts, packet.stream = packet.pts + late, packet.dts + min(shift.values()), stream
                out.mux(packet)


def test_uneven_rates_are_seen_and_their_times_known(tmp_path: Path, small_video: Path) -> None:
    assert probe(small_video).constant_rate
    assert read_frame_times_s(small_video) == pytest.approx(np.arange(20) / 25, abs=1e-4)
    uneven = tmp_path / "uneven.mp4"
    _with_gaps(uneven, small_video, {5: 3, 12: 4})
    info = probe(uneven)
    assert (info.constant_rate, info.frame_count) == (False, 20)
    expected = np.arange(20) + 3 * (np.arange(20) >= 5) + 4 * (np.arange(20) >= 12)
    assert read_frame_times_s(uneven) == pytest.approx(expected / 25, abs=1e-3)
    assert len(read_frames(uneven)) == 20


def test_more_frames_promised_than_are_there_is_refused(tmp_path: Path, small_video: Path) -> None:
    # The table of durations: `stts` holds version and flags, how many runs, and the frames of the first run.
    data = bytearray(small_video.read_bytes())
    place = data.index(b"stts") + 12
    assert int.from_bytes(data[place : place + 4], "big") == 20
    data[place : place + 4] = (24).to_bytes(4, "big")
    (tmp_path / "boasting.mp4").write_bytes(data)
    with pytest.raises(DecodeError, match="20 of 24 frames are there"):
        read_frames(tmp_path / "boasting.mp4")


def test_rotation_metadata_is_applied(tmp_path: Path, small_video: Path) -> None:
    rotated = tmp_path / "rotated.mp4"
    data = bytearray(small_video.read_bytes())
    # The track header's display matrix: identity becomes a quarter turn (a b u c d v x y w, 16.16 fixed point).
    identity = b"".join(v.to_bytes(4, "big") for v in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    quarter = b"".join(
        (v & 0xFFFFFFFF).to_bytes(4, "big") for v in (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)
    )
    place = data.index(identity, data.index(b"tkhd"))
    data[place : place + 36] = quarter
    rotated.write_bytes(data)
    info = probe(rotated)
    assert (info.width, info.height) == (48, 64)
    upright = read_frames(rotated, [3])[0]
    with av.open(str(rotated)) as container:
        shown = next(container.decode(video=0))
        assert shown.rotation % 360 == info.rotation
    # The square sits left of the middle, at mid height; a clockwise quarter turn puts it at the top.
    bright = np.argwhere(upright[..., 0] > 200)
    assert bright[:, 0].mean() < 20
    assert upright.shape == (64, 48, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello, I am a text file", "is not a video"),
        (b"#EXTM3U\n#EXTINF:1\nhttp://x/y.ts\n", "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
        (b"\x00\x00\x00\x20ftypisom" + b"\x00" * 64, "damaged or cut short"),
    ],
)
def test_what_is_not_a_video_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(DecodeError, match=message):
        probe(path)


def test_image_named_as_video_is_refused(tmp_path: Path) -> None:
    from dreamactor_core.image import write_image

    write_image(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    with pytest.raises(DecodeError, match="is not a video"):
        probe(tmp_path / "a.mp4")


@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_cut_file_is_refused(tmp_path: Path, small_video: Path, share: float) -> None:
    data = small_video.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DecodeError, match="cut short|damaged"):
        probe(cut)


def test_hanging_decoder_is_killed_at_the_deadline(small_video: Path) -> None:
    with open_video(small_video, deadline_s=3) as video:
        process = video._request._decoder.process
        subprocess.run(["kill", "-STOP", str(process.pid)], check=True)
        with pytest.raises(DecodeError, match=r"nothing for 3 s"):
            list(video)
    assert process.returncode == -9


def test_a_child_that_served_well_serves_the_next_video(tmp_path: Path, small_video: Path) -> None:
    def process_of(path: Path) -> subprocess.Popen:
        with open_video(path) as video:
            assert len(list(video)) == video.info.frame_count
            return video._request._decoder.process

    first = process_of(small_video)
    assert process_of(small_video) is first
    assert probe(small_video).frame_count == len(read_frames(small_video))
    with open_video(small_video) as outer, open_video(small_video) as inner:
        # Two at a time are two children.
        assert outer._request._decoder is not inner._request._decoder
        np.testing.assert_array_equal(list(outer), list(inner))
    (tmp_path / "cut.mp4").write_bytes(small_video.read_bytes()[: small_video.stat().st_size // 2])
    with pytest.raises(DecodeError):
        probe(tmp_path / "cut.mp4")
    # Whoever met a damaged file meets no other.
    assert process_of(small_video) is not first


def test_a_relative_path_is_found_from_wherever_one_is(
    tmp_path: Path, small_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame_count = probe(small_video).frame_count
    (tmp_path / "there.mp4").write_bytes(small_video.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert probe("there.mp4").frame_count == frame_count


def test_a_spare_child_that_was_killed_is_not_missed(small_video: Path) -> None:
    with open_video(small_video) as video:
        frames = list(video)
        process = video._request._decoder.process
    process.kill()
    process.wait()
    np.testing.assert_array_equal(read_frames(small_video), frames)


def test_threads_and_forks_have_children_of_their_own(small_video: Path) -> None:
    expected = read_frames(small_video)
    with ThreadPoolExecutor(2) as pool:
        for frames in pool.map(read_frames, [small_video] * 4):
            np.testing.assert_array_equal(frames, expected)
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        for frames in pool.map(read_frames, [small_video] * 4):
            np.testing.assert_array_equal(frames, expected)
    np.testing.assert_array_equal(read_frames(small_video), expected)


def test_failed_writing_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="does not fit"),
        VideoWriter(tmp_path / "o.mp4", Fraction(25), size=(64, 48)) as w,
    ):
        w.write(np.zeros((48, 64, 3), np.uint8))
        w.write(np.zeros((10, 10, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_odd_size_and_empty_video_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be even"):
        VideoWriter(tmp_path / "o.mp4", Fraction(25), size=(63, 48))
    with pytest.raises(InputError, match="no frames"), VideoWriter(tmp_path / "o.mp4", Fraction(25), size=(64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_equal_frames_give_equal_files(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), dtype=np.uint8)
    files = set()
    for index in range(6):
        with VideoWriter(tmp_path / f"{index}.mp4", Fraction(30000, 1001), size=(64, 64)) as writer:
            for frame in frames:
                writer.write(frame)
        files.add((tmp_path / f"{index}.mp4").read_bytes())
    assert len(files) == 1
