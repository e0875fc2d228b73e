"""Pose, head and expression of results whose tracks are known; colours of parts that were painted."""

import sys
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from dreamactor_core.errors import WeightsError
from dreamactor_core.footage import footage
from dreamactor_core.image import read_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import load_settings
from dreamactor_core.skeleton import joint_index
from dreamactor_core.video import read_frames
from dreamactor_model.evaluation.eyes import Eyes
from dreamactor_model.evaluation.metrics.person.colours import Part, colour_distance
from dreamactor_model.evaluation.metrics.person.expression import expression_error
from dreamactor_model.evaluation.metrics.person.face_identity import FaceNetwork, face_distance
from dreamactor_model.evaluation.metrics.person.head import head_error_deg
from dreamactor_model.evaluation.metrics.person.pose import BODY, HANDS, compare_pose, torso_px
from dreamactor_model.evaluation.metrics.person.sampled import spread
from dreamactor_signals.head_angles import rotation_of_angles
from evaluation_cases import DISTANCE_M, TORSO_M, standing_person

FRAMES = 6


@pytest.fixture
def driving() -> MotionTrack:
    return standing_person(FRAMES)


def _moved(track: MotionTrack, **joints_m: tuple[float, float]) -> MotionTrack:
    joints = track.joints_cam_m.copy()
    for name, (x, y) in joints_m.items():
        joints[:, joint_index(name), :2] += x, y
    return replace(track, joints_cam_m=joints)


def _hidden(track: MotionTrack, *names: str) -> MotionTrack:
    confidence = track.joint_confidence.copy()
    confidence[:, [joint_index(name) for name in names]] = 0
    return replace(track, joint_confidence=confidence)


def test_the_torso_is_known_with_and_without_hips(driving: MotionTrack) -> None:
    assert torso_px(driving) == pytest.approx(np.full(FRAMES, 60 * TORSO_M))
    portrait = _hidden(driving, "pelvis", "left_hip", "right_hip")
    assert torso_px(portrait) == pytest.approx(np.full(FRAMES, 60 * 1.4 * 0.4)), "1.4 widths of the shoulders"
    nearer = replace(driving, joints_cam_m=driving.joints_cam_m * [1, 1, 0.5])
    assert torso_px(nearer) == pytest.approx(np.full(FRAMES, 120 * TORSO_M))
    assert not torso_px(_hidden(driving, "left_shoulder")).any()


def test_a_person_who_stands_aside_is_wrong_by_as_much(driving: MotionTrack) -> None:
    assert compare_pose(driving, driving).error_torso == pytest.approx(0, abs=1e-5)
    aside = replace(driving, joints_cam_m=driving.joints_cam_m + np.array([0.05, 0, 0]))
    found = compare_pose(aside, driving)
    assert found.error_torso == pytest.approx(0.05 / TORSO_M, rel=1e-3)
    assert (found.near, found.found) == (1, 1)


def test_one_limb_that_is_wrong_counts_by_its_joints(driving: MotionTrack) -> None:
    raised = _moved(driving, left_wrist=(0, -0.5), left_elbow=(0, -0.2))
    found = compare_pose(raised, driving)
    assert found.error_torso == pytest.approx((0.5 + 0.2) / TORSO_M / 16, rel=1e-3)
    assert found.near == pytest.approx(14 / 16)
    assert found.found == 1
    assert compare_pose(raised, driving, HANDS).error_torso == pytest.approx(0, abs=1e-5)


def test_what_is_not_found_is_no_error_but_is_not_near(driving: MotionTrack) -> None:
    found = compare_pose(_hidden(_moved(driving, left_wrist=(0, -0.5)), "left_wrist"), driving)
    assert found.error_torso == pytest.approx(0, abs=1e-5)
    assert found.near == found.found == pytest.approx(15 / 16)
    nobody = compare_pose(None, driving)
    assert (nobody.error_torso, nobody.near, nobody.found) == (None, 0, 0)


def test_driving_joints_that_cannot_be_seen_are_not_asked_for(driving: MotionTrack) -> None:
    beyond = _moved(driving, left_toe=(5, 0), right_toe=(-5, 0))
    result = _moved(driving, left_toe=(1, 0), right_toe=(1, 0))
    assert compare_pose(result, beyond).error_torso == pytest.approx(0, abs=1e-5)
    hidden = replace(driving, joint_confidence=np.zeros_like(driving.joint_confidence))
    assert compare_pose(driving, hidden, BODY).found is None


@pytest.mark.parametrize("axis", ["yaw_rad", "pitch_rad", "roll_rad"])
def test_a_turned_head_is_wrong_by_its_angle(driving: MotionTrack, axis: str) -> None:
    angles = {"yaw_rad": 0.4, "pitch_rad": 0.1, "roll_rad": -0.2}
    before = rotation_of_angles(**{name: np.full(FRAMES, value) for name, value in angles.items()})
    turn = rotation_of_angles(**{name: np.radians(20) * (name == axis) for name in angles})
    driving = replace(driving, head_rotation=before)
    result = replace(driving, head_rotation=before @ turn)
    assert head_error_deg(result, driving) == pytest.approx(20, abs=1e-3)
    assert head_error_deg(driving, driving) == pytest.approx(0, abs=0.05)


def test_only_heads_that_both_show_are_compared(driving: MotionTrack) -> None:
    confidence = np.array([1, 1, 1, 0, 0, 0], np.float32)
    half = np.arange(FRAMES) < 3
    away = rotation_of_angles(np.where(half, np.radians(10), np.radians(90)), np.zeros(FRAMES), np.zeros(FRAMES))
    result = replace(driving, head_rotation=away, face_confidence=confidence)
    assert head_error_deg(result, driving) == pytest.approx(10, abs=1e-3)
    assert head_error_deg(result, replace(driving, face_confidence=1 - confidence)) is None
    assert head_error_deg(replace(result, head_confidence=0 * confidence), driving) is None
    assert head_error_deg(None, driving) is None


def test_expressions_are_compared_on_faces_that_are_large_enough(driving: MotionTrack) -> None:
    assert driving.face_units is not None
    units = driving.face_units.copy()
    units[:, 1:18] += 0.3
    result = replace(driving, face_units=units)
    assert expression_error(result, driving, 16) == pytest.approx(0.3 * 17 / 51, rel=1e-4)
    assert expression_error(result, driving, 17) is None
    assert expression_error(driving, driving, 16) == 0
    assert expression_error(result, replace(driving, face_units=None), 16) is None


def _painted(hair: int, face: int, clothes: int) -> np.ndarray:
    """What `standing_person` looks like, in greys."""
    frame = np.full((128, 96, 3), 200, np.uint8)
    frame[8:36, 34:62] = hair
    frame[18:34, 40:56] = face
    frame[40:72, 36:60] = clothes
    return frame


@pytest.mark.parametrize(
    ("part", "lighter"), [("hair", (60, 120, 90)), ("face", (30, 180, 90)), ("clothes", (30, 120, 150))]
)
def test_only_the_part_that_changed_its_colour_is_another(
    driving: MotionTrack, part: str, lighter: tuple[int, int, int]
) -> None:
    reference = _painted(30, 120, 90)
    result = np.stack([_painted(*lighter)] * FRAMES)
    distances = {each: colour_distance(each, result, driving, reference, driving[:1], 16) for each in get_args(Part)}
    changed = distances.pop(part)
    assert changed > 10
    assert all(distance == pytest.approx(0, abs=0.5) for distance in distances.values())


def test_parts_that_are_not_shown_have_no_colour(driving: MotionTrack) -> None:
    frames = np.stack([_painted(30, 120, 90)] * FRAMES)
    faceless = replace(driving, face_confidence=np.zeros(FRAMES))
    assert colour_distance("face", frames, faceless, frames[0], driving[:1], 16) is None
    assert colour_distance("hair", frames, driving, frames[0], faceless[:1], 16) is None
    assert colour_distance("clothes", frames, None, frames[0], driving[:1], 16) is None
    assert colour_distance("hair", frames, driving, frames[0], driving[:1], 17) is None, "too small a face"
    assert colour_distance("clothes", frames, driving, frames[0], driving[:1], 17) == 0
    beyond = replace(driving, joints_cam_m=driving.joints_cam_m + np.array([DISTANCE_M, 0, 0]))
    assert colour_distance("clothes", frames, beyond, frames[0], driving[:1], 16) is None


def test_frames_are_picked_over_the_whole_clip() -> None:
    usable = np.ones(100, bool)
    usable[:20] = False
    picked = spread(usable, 5)
    assert picked.tolist() == [20, 40, 60, 79, 99] or picked.tolist() == [20, 40, 60, 80, 99]
    assert spread(~usable, 50).tolist() == list(range(20))


def test_a_real_face_is_nearer_to_itself_than_to_another() -> None:
    """Two real people, tracked as results are."""
    eyes = Eyes(load_settings().signals)
    talking = read_frames(footage("talking-head"), [0, 40])
    woman = read_image(footage("astronaut"))[None]
    seen, her = eyes.see(talking, standing_person(1).fps), eyes.see(woman, standing_person(1).fps)
    assert seen is not None
    assert her is not None
    same = face_distance(talking[1:], seen[1:], talking[0], seen[:1], 32)
    other = face_distance(talking[1:], seen[1:], woman[0], her, 32)
    assert same is not None
    assert other is not None
    assert same < 0.45 < 0.6 < other
    assert face_distance(talking[1:], seen[1:], woman[0], her, 500) is None


def test_without_its_runtime_no_face_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(WeightsError, match=r"pip install --no-deps dlib-bin=="):
        FaceNetwork()
