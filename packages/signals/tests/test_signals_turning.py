"""A person who turns from side to side, and which views of it join a reference."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, joint_index
from dreamactor_signals.views import (
    framing,
    head_yaw_rad,
    pick_complement,
    pick_views,
    pick_yaws,
    torso_yaw_rad,
    turning_views,
)

Person = Callable[..., MotionTrack]
PELVIS, NECK = joint_index("pelvis"), joint_index("neck")
FULL, HALF, PORTRAIT = (0.0, 0.0, 3.0), (0.0, 0.5, 1.2), (0.0, 0.65, 0.8)
A = np.radians(60)


def _lengths_m(points_m: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points_m[:, :, None] - points_m[:, None], axis=-1)


@pytest.mark.parametrize("own_yaw_deg", [0.0, 25.0, -40.0])
@pytest.mark.parametrize("at_m", [FULL, HALF])
def test_the_whole_person_turns_rigidly_about_the_pelvis(
    person: Person, at_m: tuple[float, ...], own_yaw_deg: float
) -> None:
    """From front to both sides, however the person stands at first."""
    still = person(np.radians(own_yaw_deg), at_m=np.array(at_m))
    track = turning_views(still, 33, A)
    expected = A * np.sin(np.linspace(0, 2 * np.pi, 33))
    np.testing.assert_allclose(head_yaw_rad(track), expected, atol=1e-5)
    np.testing.assert_allclose(torso_yaw_rad(track), expected, atol=1e-5)
    np.testing.assert_allclose(track.joints_cam_m[:, PELVIS], np.tile(at_m, (33, 1)), atol=1e-6)
    bodies_m = np.concatenate([track.joints_cam_m, track.head_center_cam_m[:, None]], axis=1)
    before_m = np.concatenate([still.joints_cam_m, still.head_center_cam_m[:, None]], axis=1)
    np.testing.assert_allclose(_lengths_m(bodies_m), np.tile(_lengths_m(before_m), (33, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(track.joints_cam_m[..., 1], np.tile(still.joints_cam_m[..., 1], (33, 1)), atol=1e-6)


def test_in_a_portrait_the_head_alone_turns(person: Person) -> None:
    still = person(at_m=np.array(PORTRAIT))
    assert framing(still) == "portrait"
    track = turning_views(still, 17, A)
    assert np.ptp(head_yaw_rad(track)) == pytest.approx(2 * A, abs=1e-5)
    np.testing.assert_array_equal(track.joints_cam_m, np.tile(still.joints_cam_m, (17, 1, 1)))
    to_neck_m = np.linalg.norm(track.head_center_cam_m - track.joints_cam_m[:, NECK], axis=1)
    np.testing.assert_allclose(to_neck_m, to_neck_m[0], atol=1e-6)


def test_the_views_of_training_are_both_sides_and_the_front(person: Person) -> None:
    track = turning_views(person(0.3, at_m=np.array(FULL)), 73, A)
    most, least, median = head_yaw_rad(track)[pick_views(track)]
    np.testing.assert_allclose((most, least, median), (A, -A, 0), atol=1e-5)


def test_face_boxes_go_with_the_head(person: Person) -> None:
    still = person(at_m=np.array(PORTRAIT))
    track = turning_views(still, 9, A)
    middle_px = track.face_boxes_px.reshape(9, 2, 2).mean(axis=1)
    shift_px = track.project(track.head_center_cam_m) - still.project(still.head_center_cam_m)
    np.testing.assert_allclose(middle_px - middle_px[0], shift_px - shift_px[0], atol=1e-3)


def test_what_is_missing_stays_missing(person: Person) -> None:
    still = person(at_m=np.array(FULL))
    confidence = still.joint_confidence.copy()
    confidence[:, PELVIS] = confidence[:, 30:] = 0
    joints_m = np.where(confidence[..., None] > 0, still.joints_cam_m, 0)
    still = replace(still, joint_confidence=confidence, joints_cam_m=joints_m)
    track = turning_views(still, 5, A)
    assert not track.joints_cam_m[track.joint_confidence == 0].any()
    # Without a pelvis the axis stands at the neck.
    np.testing.assert_allclose(track.joints_cam_m[:, NECK], np.tile(still.joints_cam_m[:, NECK], (5, 1)), atol=1e-6)


def test_nobody_cannot_turn(person: Person) -> None:
    still = replace(person(), joint_confidence=np.zeros((1, JOINT_COUNT)), head_confidence=np.zeros(1))
    with pytest.raises(InputError, match="nobody to turn"):
        turning_views(still, 5, A)


def test_complements_are_the_picked_views_farthest_from_the_given_one() -> None:
    yaw = np.radians([0, -50, 10, np.nan, 60, 20])
    assert sorted(pick_yaws(yaw).tolist()) == [1, 2, 4]
    assert pick_complement(yaw, 0.0, 3).tolist() == [4, 1, 2]
    assert pick_complement(yaw, np.radians(30), 2).tolist() == [1, 4]
    assert pick_complement(yaw, np.nan, 1).tolist() == [4]
    assert pick_complement(yaw[:1], 0.0, 3).tolist() == [0]
    assert len(pick_complement(yaw, 0.0, 0)) == 0
