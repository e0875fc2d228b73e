"""Who is who among several people: by hand, and in a real video of two who cross each other's way."""

from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.footage import footage
from dreamactor_core.settings.signals import MmposeSettings, SignalsSettings
from dreamactor_core.video import read_frames
from dreamactor_signals.trackers import make_tracker
from dreamactor_signals.trackers.embedded.body import BodyNetworks, BodyReader, Point
from dreamactor_signals.trackers.mmpose import tracker as mmpose_tracker
from dreamactor_signals.trackers.people import People

ONES = np.ones(9)


def _boxes(*lefts: float, size: float = 100) -> np.ndarray:
    return np.array([(left, 0, left + size, size) for left in lefts], dtype=np.float64).reshape(-1, 4)


def test_the_largest_is_followed_if_nobody_is_asked_for() -> None:
    people = People()
    assert people.update(np.concatenate([_boxes(0), _boxes(200, size=150)]), ONES[:2]) == 1
    assert not people.chosen
    assert people.crowded
    # Also when another grows beyond, and whatever the order they are found in.
    assert people.update(np.concatenate([_boxes(210, size=150), _boxes(0, size=170)]), ONES[:2]) == 0


@pytest.mark.parametrize(("number", "left"), [(1, 0), (2, 300), (3, 600)])
def test_people_of_the_first_frame_are_counted_from_left_to_right(number: int, left: float) -> None:
    people = People(number)
    boxes = _boxes(300, 600, 0)
    which = people.update(boxes, ONES[:3])
    assert which is not None
    assert boxes[which, 0] == left


def test_who_comes_later_counts_on_once_they_have_stayed() -> None:
    people = People(2)
    assert people.update(_boxes(300), ONES[:1]) is None
    # A ghost for one frame, then somebody who stays.
    assert people.update(_boxes(300, 700), ONES[:2]) is None
    found = [people.update(_boxes(300, 5 * t), ONES[:2]) for t in range(4)]
    assert found == [None, None, 1, 1]


def test_two_who_cross_keep_their_numbers() -> None:
    people = People(1)
    for t in range(41):
        # One walks right, the other left and 60 lower down; both are found in every frame, in changing order.
        first, second = (10.0 * t, 0, 10.0 * t + 100, 100), (400 - 10.0 * t, 60, 500 - 10.0 * t, 160)
        boxes = np.array([first, second] if t % 2 else [second, first])
        which = people.update(boxes, ONES[:2])
        assert which is not None
        assert tuple(boxes[which]) == first


def test_somebody_else_is_never_taken_for_the_one_asked_for() -> None:
    people = People(1)
    people.update(_boxes(0, 300), ONES[:2])
    assert [people.update(_boxes(300), ONES[:1]) for _ in range(30)] == [None] * 30
    assert people.update(_boxes(300, 10), ONES[:2]) == 1


def test_nobody_in_particular_goes_over_to_who_is_nearest() -> None:
    people = People()
    people.update(np.concatenate([_boxes(0, size=150), _boxes(300), _boxes(900)]), ONES[:3])
    assert people.update(_boxes(900, 300), ONES[:2]) == 1


def test_a_given_box_goes_before_a_number() -> None:
    people = People(1, np.array([310.0, 10, 390, 110]))
    assert people.update(_boxes(0, 300), ONES[:2]) == 1


def test_where_landmarks_slide_is_told_from_where_the_person_is() -> None:
    people = People(1)
    people.update(_boxes(0, 120), ONES[:2])
    assert people.is_someone_else(_boxes(110)[0])
    assert not people.is_someone_else(_boxes(10)[0])
    people.moved(_boxes(100)[0])
    assert not people.is_someone_else(_boxes(105)[0])


def test_a_number_that_never_comes_is_told() -> None:
    people = People(3)
    people.update(_boxes(0, 300), ONES[:2])
    with pytest.raises(InputError, match="person 3 was asked for, and only 2 appeared"):
        people.check_found()
    # Nobody at all is another error, which the tracker tells.
    People(3).check_found()


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    """One person on a balcony from the start, another who walks in from the right; every fourth frame."""
    try:
        return read_frames(footage("two-people"), range(40, 140, 4))
    except InputError as error:
        pytest.skip(error.line())


def _hips_px(frames: np.ndarray, number: int) -> np.ndarray:
    """(T, 2), not a number where nobody is seen."""
    reader = BodyReader(BodyNetworks(threads=1, min_score=0.5), People(number))
    bodies = [reader.read(frame) for frame in frames]
    hips = [Point.LEFT_HIP, Point.RIGHT_HIP]
    return np.array([np.full(2, np.nan) if body is None else body.points_px[hips].mean(axis=0) for body in bodies])


def test_each_of_two_real_people_is_followed_through_the_clip(street: np.ndarray) -> None:
    above, walker = _hips_px(street, 1), _hips_px(street, 2)
    assert np.isfinite(above).all()
    assert (np.abs(above - (690, 270)) < (90, 60)).all()
    here = np.flatnonzero(np.isfinite(walker[:, 0]))
    assert here[0] <= 5
    assert len(here) == len(street) - here[0]
    # Downstairs, and all the way from the right to under the balcony.
    assert walker[here, 1].min() > 600
    assert walker[here[0], 0] > 1350
    assert (np.diff(walker[here, 0]) < 0).all()


def test_the_embedded_tracker_follows_the_one_asked_for(street: np.ndarray) -> None:
    frames = street[12:18]
    tracks = {}
    for number in (1, 2):
        tracker = make_tracker(SignalsSettings(person=number))
        tracks[number] = tracker.track(iter(frames), Fraction(30), (frames.shape[2], frames.shape[1]), "0" * 64)
    pelvis_px = {number: track.project(track.joints_cam_m[:, 0])[:, 1] for number, track in tracks.items()}
    heights = sorted(float(np.median(rows)) for rows in pelvis_px.values())
    assert heights[0] < 400
    assert heights[1] > 600
    with pytest.raises(InputError, match="person 5 was asked for"):
        make_tracker(SignalsSettings(person=5)).track(
            iter(frames), Fraction(30), (frames.shape[2], frames.shape[1]), "0" * 64
        )


class _Watcher:
    """Stands in for mmpose's process: keeps the boxes that it is given, and sees nothing."""

    description: ClassVar = {"mmpose": "0", "config": "none"}
    alive = True

    def __init__(self, *_: object, **__: object) -> None:
        self.boxes_px: list[np.ndarray] = []

    def forget(self) -> None:
        self.boxes_px = []

    def submit(self, frame: np.ndarray, box_px: np.ndarray) -> None:
        self.boxes_px.append(box_px)

    def collect(self) -> np.ndarray:
        return np.zeros((133, 3), np.float32)


@pytest.mark.parametrize(("number", "top_px", "bottom_px"), [(1, (20, 75), (430, 510)), (2, (440, 520), (900, 980))])
def test_mmpose_looks_at_the_one_asked_for(
    street: np.ndarray,
    number: int,
    top_px: tuple[float, float],
    bottom_px: tuple[float, float],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(mmpose_tracker, "MmposeProcess", _Watcher)
    checkpoint = tmp_path / "none.pth"
    checkpoint.write_bytes(b"weights")
    tracker = mmpose_tracker.MmposeTracker(SignalsSettings(person=number, mmpose=MmposeSettings(checkpoint=checkpoint)))
    frames = street[12:16]
    track = tracker.track(iter(frames), Fraction(30), (frames.shape[2], frames.shape[1]), "0" * 64)
    # Nothing was seen in the boxes: the track is as long, and says so.
    assert len(track) == 4
    assert not track.joint_confidence.any()
    boxes_px = np.array(tracker._process.boxes_px)
    assert boxes_px.shape == (4, 4)
    for edge, (low, high) in ((1, top_px), (3, bottom_px)):
        assert ((boxes_px[:, edge] > low) & (boxes_px[:, edge] < high)).all()
