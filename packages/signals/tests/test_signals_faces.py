"""Face crops: square, steady, black without a face, streamed."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.faces import crop_faces, face_condition, face_windows, stream_face_crops
from dreamactor_signals.trackers.embedded.clip_face import faces_of_clip
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import FaceReading, FrameReading, HandReading, HeadReading
from hypothesis import given, settings
from hypothesis import strategies as st


def _frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, 60, 80, 3), dtype=np.uint8)


def test_crops_are_black_where_there_is_no_face() -> None:
    boxes = np.array([[20, 10, 50, 50], [0, 0, 0, 0], [22, 10, 52, 50]], np.float32)
    crops = crop_faces(_frames(3), boxes, size=32)
    assert crops.shape == (3, 32, 32, 3)
    assert crops.dtype == np.uint8
    assert crops[1].max() == 0
    assert min(crops[0].mean(), crops[2].mean()) > 80


def test_crop_holds_the_whole_box_with_room() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[30:70, 40:60] = 255
    crop = crop_faces([frame], np.array([[40, 30, 60, 70]]), size=52)[0]
    # The window is 1.3 x 40 px wide, one crop pixel a frame pixel: the white box keeps its size, in the middle.
    assert (crop[:, :, 0] > 127).sum() == 40 * 20
    np.testing.assert_allclose(np.argwhere(crop[:, :, 0] > 127).mean(axis=0), [25.5, 25.5])


def test_windows_are_steadier_than_the_boxes() -> None:
    jitter = np.random.default_rng(1).normal(scale=3, size=(80, 4))
    windows = [window for window in face_windows(np.array([20, 20, 60, 70]) + jitter) if window is not None]
    assert len(windows) == 80
    assert np.std([window.side_px for window in windows]) < 1
    assert np.std([window.center_px[0] for window in windows]) < 1.2


def test_streaming_takes_one_frame_at_a_time() -> None:
    taken = []

    def frames() -> Iterator[np.ndarray]:
        for index, frame in enumerate(_frames(4)):
            taken.append(index)
            yield frame

    stream = stream_face_crops(frames(), np.tile([10, 10, 40, 40], (4, 1)), size=16)
    next(stream)
    assert taken == [0]


def test_frames_and_boxes_must_agree_in_number() -> None:
    with pytest.raises(ValueError, match="zip"):
        crop_faces(_frames(2), np.tile([10, 10, 40, 40], (3, 1)))


def _boxes(centers_px: np.ndarray, side_px: np.ndarray | float) -> np.ndarray:
    half = np.broadcast_to(side_px, len(centers_px))[:, None] / 2
    return np.concatenate([centers_px - half, centers_px + half], axis=1)


def test_windows_before_and_after_a_cut_know_nothing_of_each_other() -> None:
    centers = np.repeat([[100.0, 100], [400, 120]], 10, axis=0)
    windows = face_windows(_boxes(centers, np.repeat([80.0, 50], 10)))
    assert [round(window.center_px[0]) for window in windows if window] == [100] * 10 + [400] * 10
    assert [round(window.side_px) for window in windows if window] == [104] * 10 + [65] * 10


def test_windows_follow_a_moving_head_through_a_gap_without_a_jump() -> None:
    centers = np.stack([100 + 3.0 * np.arange(30), np.full(30, 90.0)], axis=1)
    boxes = _boxes(centers, 60)
    boxes[12:16] = 0
    windows = face_windows(boxes)
    assert [t for t, window in enumerate(windows) if window is None] == [12, 13, 14, 15]
    found = np.array([[*window.center_px, t] for t, window in enumerate(windows) if window is not None])
    steps = np.diff(found[:, 0]) / np.diff(found[:, 2])
    assert steps.min() > 1
    assert steps.max() < 5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_there_is_a_window_exactly_where_there_is_a_box(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    boxes = _boxes(random.uniform(0, 500, (count, 2)), random.uniform(1, 300, count))
    boxes[random.random(count) < 0.3] = 0
    windows = face_windows(boxes)
    assert [window is not None for window in windows] == [bool(box.any()) for box in boxes]
    assert all(np.isfinite([*window.center_px, window.side_px]).all() for window in windows if window)


def test_absent_hidden_and_enlarged_faces_are_marked(person: Callable[..., MotionTrack]) -> None:
    track = person(np.zeros(6))
    confidence = np.array([1, 1, 0.1, 1, 1, 1])
    boxes = _boxes(np.full((6, 2), 200.0), 1.2 * 224 / 1.3)
    boxes[4:] = _boxes(np.full((2, 2), 900.0), 40)
    occlusion = np.array([0, 0.6, 0.6, 0.1, 0, 0])
    state = face_condition(replace(track, face_confidence=confidence, face_boxes_px=boxes, face_occlusion=occlusion))
    assert state.absent.tolist() == [False, False, True, False, False, False]
    assert state.occluded.tolist() == [False, True, False, False, False, False]
    assert state.upscaled.tolist() == [False, False, False, False, True, True]
    assert state.clean.tolist() == [True, False, False, True, False, False]
    np.testing.assert_allclose(state.enlargement, [1 / 1.2, 1 / 1.2, 0, 1 / 1.2, 224 / 52, 224 / 52])


def test_tracks_that_do_not_know_of_occlusion_have_none(person: Callable[..., MotionTrack]) -> None:
    assert not face_condition(person(np.zeros(3))).occluded.any()


def _reading(hand_at: tuple[float, float] | None) -> FrameReading:
    head = HeadReading(np.eye(3), np.array([0, 0, 1.0]), 1.0)
    face = FaceReading(np.array([100.0, 100, 200, 200]), np.full(52, 0.1), head, 1.0)
    if hand_at is None:
        return FrameReading(face=face)
    angles = np.linspace(0, 2 * np.pi, 21, endpoint=False)
    outline = np.array(hand_at) + 25 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return FrameReading(face=face, left_hand=HandReading(outline, np.zeros((21, 3)), 0.9, 0.1))


def test_a_hand_before_the_face_hides_its_share_and_one_beside_it_nothing() -> None:
    readings = [_reading(at) for at in [None, (150, 150), (300, 150), (-1e7, 150)]]
    hidden = faces_of_clip(readings, Pace(1, 1, 1, 1, 0)).occlusion
    # A disc of radius 25 with its flesh before one of radius 50.
    assert 0.25 < hidden[1] < 0.45
    np.testing.assert_allclose(hidden[[0, 2, 3]], 0)
