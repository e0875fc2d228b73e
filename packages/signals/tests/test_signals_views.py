"""Which way a person looks, which frames show them best, and how much of them is in the frame."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_signals.head_angles import angles_of_rotation, rotation_of_angles
from dreamactor_signals.views import framing, head_angles_rad, head_yaw_rad, pick_views, torso_yaw_rad
from hypothesis import given, settings
from hypothesis import strategies as st

Person = Callable[..., MotionTrack]
SHOULDERS = [joint_index("left_shoulder"), joint_index("right_shoulder")]


def without(
    track: MotionTrack, *, head: np.ndarray | bool = False, shoulders: np.ndarray | bool = False
) -> MotionTrack:
    """The track with head or shoulders unseen in the marked frames."""
    head_confidence, confidence = track.head_confidence.copy(), track.joint_confidence.copy()
    head_confidence[np.broadcast_to(head, len(track))] = 0
    confidence[np.ix_(np.broadcast_to(shoulders, len(track)), SHOULDERS)] = 0
    return replace(track, head_confidence=head_confidence, joint_confidence=confidence)


@pytest.mark.parametrize(
    ("angles", "point", "goes"),
    [
        ((0.3, 0, 0), [0, 0, -1], (0, 1)),  # yaw: the nose to the right
        ((0, 0.3, 0), [0, 0, -1], (1, 1)),  # pitch: the nose down
        ((0, 0, 0.3), [0, -1, 0], (0, 1)),  # roll: the crown to the right
    ],
    ids=["yaw", "pitch", "roll"],
)
def test_signs_of_the_angles(angles: tuple[float, float, float], point: list[float], goes: tuple[int, int]) -> None:
    moved = rotation_of_angles(*map(np.array, angles)) @ point - point
    axis, sign = goes
    assert moved[axis] * sign > 0.2
    assert abs(np.delete(moved[:2], axis)[0]) < 0.1


@settings(max_examples=100, deadline=None)
@given(yaw=st.floats(-3.1, 3.1), pitch=st.floats(-1.4, 1.4), roll=st.floats(-3.1, 3.1))
def test_angles_and_rotations_are_inverse(yaw: float, pitch: float, roll: float) -> None:
    rotation = rotation_of_angles(np.array(yaw), np.array(pitch), np.array(roll))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.isclose(np.linalg.det(rotation), 1)
    np.testing.assert_allclose(angles_of_rotation(rotation), (yaw, pitch, roll), atol=1e-9)


def test_head_angles_are_those_of_the_head(person: Person) -> None:
    yaw, pitch, roll = np.array([[-1.0, 0.2, 1.5], [0.3, -0.4, 0.1], [0.2, 0.0, -0.5]])
    track = person(yaw, pitch_rad=pitch, roll_rad=roll)
    np.testing.assert_allclose(head_angles_rad(track), (yaw, pitch, roll), atol=1e-5)
    np.testing.assert_array_equal(head_angles_rad(without(track, head=True)), np.zeros((3, 3)))


def test_the_torso_turns_as_the_head_does(person: Person) -> None:
    yaw = np.deg2rad(np.linspace(-175, 175, 15))
    np.testing.assert_allclose(torso_yaw_rad(person(yaw)), yaw, atol=1e-5)


def test_yaw_comes_from_the_torso_where_the_head_is_lost(person: Person) -> None:
    body_yaw = np.linspace(-1, 1, 6)
    track = person(body_yaw)
    looking_left = replace(track, head_rotation=rotation_of_angles(body_yaw - 0.5, np.zeros(6), np.zeros(6)))
    lost, nobody = np.arange(6) % 2 == 1, np.arange(6) == 5
    yaw = head_yaw_rad(without(looking_left, head=lost, shoulders=nobody))
    np.testing.assert_allclose(yaw[~lost], body_yaw[~lost] - 0.5, atol=1e-5)
    np.testing.assert_allclose(yaw[[1, 3]], body_yaw[[1, 3]], atol=1e-5)
    assert np.isnan(yaw[5])


def test_views_are_most_least_and_median(person: Person) -> None:
    yaw = np.array([0.1, -0.2, 0.9, 0.0, -0.8, 0.3, 0.05])
    assert pick_views(person(yaw)).tolist() == [2, 4, 6]


def test_views_skip_frames_without_the_person(person: Person) -> None:
    yaw = np.array([0.1, -0.2, 0.9, 0.0, -0.8, 0.3])
    hidden = np.isin(np.arange(6), [2, 4])
    assert pick_views(without(person(yaw), head=hidden, shoulders=hidden)).tolist() == [5, 1, 3]


@settings(max_examples=30, deadline=None)
@given(yaw=st.lists(st.floats(-3, 3), min_size=3, max_size=20))
def test_three_frames_give_three_views(person: Person, yaw: list[float]) -> None:
    track = person(np.array(yaw))
    views = pick_views(track)
    assert len(set(views.tolist())) == 3
    seen = head_yaw_rad(track)
    assert seen[views[0]] == seen.max()
    assert seen[views[1]] == seen.min()


@pytest.mark.parametrize("frames", [1, 2])
def test_few_frames_repeat(person: Person, frames: int) -> None:
    views = pick_views(person(np.linspace(0, 1, frames)))
    assert views.tolist() == [frames - 1, 0, 0]


def test_nobody_has_no_views(person: Person) -> None:
    with pytest.raises(InputError, match="neither head nor shoulders"):
        pick_views(without(person(np.zeros(4)), head=True, shoulders=True))


@pytest.mark.parametrize(
    ("at_m", "expected"),
    [((0, 0, 3.0), "full"), ((0, 0.5, 1.2), "half"), ((0, 0.65, 0.8), "portrait")],
    ids=["full", "half", "portrait"],
)
def test_framing_by_what_is_inside_the_frame(person: Person, at_m: tuple[float, ...], expected: str) -> None:
    assert framing(person(at_m=np.array(at_m))) == expected


def test_framing_by_what_is_seen_in_most_frames(person: Person) -> None:
    track = person(np.zeros(10))
    confidence = track.joint_confidence.copy()
    ankles = [joint_index("left_ankle"), joint_index("right_ankle")]
    confidence[np.ix_(range(4), ankles)] = 0
    assert framing(replace(track, joint_confidence=confidence)) == "full"
    confidence[np.ix_(range(6), ankles)] = 0
    assert framing(replace(track, joint_confidence=confidence)) == "half"
    # One leg behind the other still makes a full body.
    confidence[:] = 1
    confidence[:, ankles[0]] = 0
    assert framing(replace(track, joint_confidence=confidence)) == "full"
