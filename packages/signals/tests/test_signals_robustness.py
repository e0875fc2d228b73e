"""What happens to footage that is not one person in one upright shot: the behaviours that the README states."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from dreamactor_core.errors import InputError, NoPersonError
from dreamactor_core.footage import footage
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.video import VideoWriter, read_frames
from dreamactor_signals.extraction import extract_video
from dreamactor_signals.faces import face_condition
from dreamactor_signals.trackers import Tracker, make_tracker
from dreamactor_signals.views import framing

FPS = Fraction(30)


@pytest.fixture(scope="module")
def tracker() -> Tracker:
    return make_tracker(SignalsSettings())


def _frames(name: str, count: int, start: int = 0) -> np.ndarray:
    try:
        return read_frames(footage(name), range(start, start + count))
    except InputError as error:
        pytest.skip(error.line())


@pytest.fixture(scope="module")
def talking() -> np.ndarray:
    return _frames("talking-head", 24)


def _track(tracker: Tracker, frames: np.ndarray, fps: Fraction = FPS) -> MotionTrack:
    return tracker.track(iter(frames), fps, (frames.shape[2], frames.shape[1]), "0" * 64)


def test_nobody_is_an_error_of_its_own_kind(tracker: Tracker) -> None:
    with pytest.raises(NoPersonError, match="no person found in 2 frames"):
        _track(tracker, np.full((2, 120, 160, 3), 90, np.uint8))


def test_nothing_is_smoothed_or_bridged_across_a_cut(tracker: Tracker, talking: np.ndarray) -> None:
    other = np.stack([cv2.resize(frame, (176, 100)) for frame in _frames("smiling-man", 8)])
    other = np.pad(other, ((0, 0), (22, 22), (0, 0), (0, 0)))
    track = _track(tracker, np.concatenate([talking[:8], other]))
    before, after = _track(tracker, talking[:8]), _track(tracker, other)
    # The first shot is what it would be alone; the second as well, but for where its networks began to look.
    np.testing.assert_array_equal(track.joints_cam_m[:8], before.joints_cam_m)
    np.testing.assert_array_equal(track.face_units[:8], before.face_units)
    np.testing.assert_allclose(track.face_boxes_px[8:], after.face_boxes_px, atol=3)


def _leaving(frames: np.ndarray) -> np.ndarray:
    """The picture slides out to the right, stays away for 20 frames, and comes back."""
    width = frames.shape[2]
    shifts = [min(20 * t, width) for t in range(12)] + [width] * 20 + [0] * 6
    moved = []
    for t, shift in enumerate(shifts):
        frame = np.zeros_like(frames[0])
        frame[:, shift:] = frames[t % len(frames)][:, : width - shift]
        moved.append(frame)
    return np.stack(moved)


def test_who_leaves_becomes_invisible_and_is_found_again(tracker: Tracker, talking: np.ndarray) -> None:
    track = _track(tracker, _leaving(talking))
    seen = np.maximum(track.head_confidence, track.joint_confidence.max(axis=1))
    assert seen[:4].min() > 0.5
    assert seen[13:30].max() == 0
    assert np.abs(track.joints_cam_m[13:30]).max() == 0
    assert face_condition(track).absent[13:30].all()
    assert seen[33:].min() > 0.5
    # What lies beyond the frame's edge is not seen, wherever the networks imagine it.
    points_px = track.project(track.joints_cam_m)
    outside = (points_px[..., 0] > 1.1 * track.frame_size[0]) & (track.joints_cam_m[..., 2] > 0)
    assert track.joint_confidence[outside].max(initial=0) == 0


def _write(path: Path, frames: np.ndarray) -> Path:
    with VideoWriter(path, FPS, size=(frames.shape[2], frames.shape[1]), crf=4) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def _turn_by_metadata(path: Path, turned: Path, height: int) -> None:
    """Say in the track header that the video is to be shown turned clockwise by a quarter."""
    identity = b"".join(v.to_bytes(4, "big") for v in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    quarter = (0, 0x10000, 0, -0x10000, 0, 0, height << 16, 0, 0x40000000)
    data = bytearray(path.read_bytes())
    place = data.index(identity, data.index(b"tkhd"))
    data[place : place + 36] = b"".join((v & 0xFFFFFFFF).to_bytes(4, "big") for v in quarter)
    turned.write_bytes(data)


def test_a_video_that_says_it_is_turned_is_tracked_upright(
    tracker: Tracker, talking: np.ndarray, tmp_path: Path
) -> None:
    lying = np.ascontiguousarray(np.rot90(talking[:5], 1, axes=(1, 2)))
    _turn_by_metadata(_write(tmp_path / "lying.mp4", lying), tmp_path / "turned.mp4", lying.shape[1])
    upright = extract_video(_write(tmp_path / "upright.mp4", talking[:5]), tracker)
    turned = extract_video(tmp_path / "turned.mp4", tracker)
    assert turned.frame_size == upright.frame_size == (176, 144)
    np.testing.assert_allclose(turned.face_boxes_px, upright.face_boxes_px, atol=2.5)
    assert turned.head_confidence.min() > 0.8


def _write_unevenly(path: Path, frames: np.ndarray, shown_ms: list[int]) -> Path:
    """An mp4 of which each frame is shown for its own time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1000)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.options = {"crf": "4", "bf": "0"}
        at_ms = 0
        for frame, duration_ms in zip(frames, shown_ms, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = at_ms, Fraction(1, 1000)
            for packet in stream.encode(picture):
                packet.duration = duration_ms
                container.mux(packet)
            at_ms += duration_ms
        container.mux(stream.encode(None))
    return path


def test_a_video_of_uneven_rate_is_tracked_frame_by_frame_at_its_mean_rate(
    tracker: Tracker, talking: np.ndarray, tmp_path: Path
) -> None:
    shown_ms = [20, 60, 33, 100, 40, 40, 20, 40]
    video = _write_unevenly(tmp_path / "uneven.mp4", talking[:8], shown_ms)
    track = extract_video(video, tracker)
    assert len(track) == 8
    assert float(8 / track.fps) == pytest.approx(sum(shown_ms) / 1000, rel=0.12)
    assert track.face_confidence.min() > 0.8


def test_a_small_face_is_marked_as_enlarged_and_a_large_one_is_not(tracker: Tracker, talking: np.ndarray) -> None:
    small = face_condition(_track(tracker, talking[:2]))
    assert small.upscaled.all()
    assert (small.enlargement > 2).all()
    large = face_condition(_track(tracker, _frames("acted-close-up", 2)))
    assert not large.upscaled.any()
    assert large.clean.all()


def test_a_hand_before_the_face_is_marked(tracker: Tracker) -> None:
    # The actor's right hand rises to the mouth after two seconds.
    track = _track(tracker, _frames("acted-close-up", 34, start=46)[::2], Fraction(12))
    assert track.face_occlusion is not None
    assert track.face_occlusion[:4].max() < 0.05
    assert track.face_occlusion[-4:].min() > 0.1


def test_real_framings_are_told_apart(tracker: Tracker, talking: np.ndarray) -> None:
    assert framing(_track(tracker, talking[:2])) == "portrait"
    assert framing(_track(tracker, _frames("studio-1", 3, start=30))) == "full"
    half = _frames("studio-1", 1, start=0)
    track = _track(tracker, half)
    knees_px = track.project(track.joints_cam_m[0, [9, 14]])[:, 1]
    cut = half[:, : int(knees_px.min()) - 40]
    assert framing(_track(tracker, np.ascontiguousarray(cut))) == "half"
