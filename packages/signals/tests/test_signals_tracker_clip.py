"""Putting a clip together: jumps, exchanged sides, hands at wrists, heads on bodies."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS, joint_index
from dreamactor_signals.trackers.embedded.body import POINTS, Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip import assemble
from dreamactor_signals.trackers.embedded.readings import (
    BodyReading,
    FaceReading,
    FrameReading,
    HandReading,
    HeadReading,
)
from dreamactor_signals.trackers.embedded.shots import split_shots
from dreamactor_signals.trackers.embedded.sides import OTHER_SIDE, PASSED_OVER, label_frames

SIZE = (640, 480)
CAMERA = Camera.assumed(SIZE, 55)
ROOT = np.array([0.0, 0.3, 4.0])


def _skeleton() -> np.ndarray:
    """(P, 3) a standing person who faces the camera, around the middle of the hips."""
    points = np.zeros((POINTS, 3))
    points[:11] = [0, -0.65, -0.1]
    points[Point.LEFT_EAR], points[Point.RIGHT_EAR] = [0.08, -0.66, 0], [-0.08, -0.66, 0]
    for point, place in {
        "SHOULDER": (0.18, -0.45, 0.0), "ELBOW": (0.25, -0.2, 0.02), "WRIST": (0.28, 0.0, -0.05),
        "PINKY": (0.29, 0.08, -0.05), "INDEX": (0.28, 0.08, -0.06), "THUMB": (0.26, 0.05, -0.06),
        "HIP": (0.1, 0.0, 0.0), "KNEE": (0.11, 0.4, 0.0), "ANKLE": (0.11, 0.75, 0.05),
        "HEEL": (0.11, 0.8, 0.08), "TOE": (0.12, 0.82, -0.1),
    }.items():  # fmt: skip
        points[Point[f"LEFT_{point}"]] = place
        points[Point[f"RIGHT_{point}"]] = np.array(place) * [-1, 1, 1]
    return points


def _body(root_cam_m: np.ndarray = ROOT, visibility: float = 1.0) -> BodyReading:
    skeleton = _skeleton()
    return _reading(skeleton, root_cam_m, visibility)


def _reading(skeleton: np.ndarray, root_cam_m: np.ndarray = ROOT, visibility: float = 1.0) -> BodyReading:
    points_px = CAMERA.project(skeleton + root_cam_m)
    depth_px = skeleton[:, 2] * CAMERA.focal_px / root_cam_m[2]
    return BodyReading(points_px, depth_px, skeleton, np.full(POINTS, visibility), 1.0)


def _moved(right_m: float = 0.0, down_m: float = 0.0) -> np.ndarray:
    return ROOT + np.array([right_m, down_m, 0])


def _hand(wrist_cam_m: np.ndarray) -> HandReading:
    hand = np.random.default_rng(7).normal(scale=0.03, size=(21, 3)) * [1, 1, 0.3]
    hand[0] = 0
    return HandReading(CAMERA.project(hand + wrist_cam_m), hand, 0.9, right_score=0.1)


def _assemble(readings: list[FrameReading], **settings: float) -> MotionTrack:
    return assemble(
        readings, CAMERA, Fraction(25), SIZE, SignalsSettings(**settings), trackers={}, source_sha256="0" * 64
    )


def test_a_standing_person_is_placed_exactly() -> None:
    track = _assemble([FrameReading(body=_body())] * 5)
    skeleton = _skeleton() + ROOT
    for joint in ("left_shoulder", "right_knee", "left_toe"):
        expected = skeleton[Point[joint.upper()]]
        np.testing.assert_allclose(track.joints_cam_m[2, joint_index(joint)], expected, atol=1e-4)
    np.testing.assert_allclose(track.joints_cam_m[2, joint_index("neck")], ROOT - np.array([0, 0.45, 0]), atol=1e-4)
    assert track.joint_confidence[:, joint_index("left_wrist")].min() == pytest.approx(1)
    assert track.joint_confidence[:, LEFT_HAND_JOINTS].max() == 0


def test_joints_beyond_the_frame_lose_their_confidence() -> None:
    low = _body(_moved(down_m=1.0))
    track = _assemble([FrameReading(body=low)] * 3)
    assert low.points_px[Point.LEFT_ANKLE, 1] > 1.05 * SIZE[1]
    assert track.joint_confidence[:, joint_index("left_ankle")].max() == 0
    assert track.joint_confidence[:, joint_index("left_shoulder")].min() > 0.9


def test_noise_of_the_distance_is_steadied_and_the_image_kept() -> None:
    rng = np.random.default_rng(0)
    bodies = [_body(ROOT * scale) for scale in rng.normal(1, 0.05, 40)]
    track = _assemble([FrameReading(body=body) for body in bodies], smooth_image_s=0.0)
    assert track.joints_cam_m[5:-5, 0, 2].std() < 0.3 * np.std([4 * s for s in rng.normal(1, 0.05, 40)])
    seen_px = np.array([body.points_px[Point.LEFT_ELBOW] for body in bodies])
    np.testing.assert_allclose(track.project(track.joints_cam_m[:, joint_index("left_elbow")]), seen_px, atol=0.1)


def test_a_hand_hangs_on_its_wrist() -> None:
    wrist = _skeleton()[Point.LEFT_WRIST] + ROOT
    track = _assemble([FrameReading(body=_body(), left_hand=_hand(wrist))] * 5)
    np.testing.assert_allclose(track.joints_cam_m[2, joint_index("left_wrist")], wrist, atol=0.01)
    expected = np.random.default_rng(7).normal(scale=0.03, size=(21, 3)) * [1, 1, 0.3] + wrist
    np.testing.assert_allclose(track.joints_cam_m[2, LEFT_HAND_JOINTS], expected[1:], atol=0.01)
    assert track.joint_confidence[:, LEFT_HAND_JOINTS].min() == pytest.approx(0.9)
    assert track.joint_confidence[:, RIGHT_HAND_JOINTS].max() == 0


def test_a_hand_without_a_visible_arm_stands_at_its_own_distance() -> None:
    wrist = np.array([0.1, 0.0, 0.8])
    track = _assemble([FrameReading(body=_body(visibility=0.0), left_hand=_hand(wrist))] * 5)
    np.testing.assert_allclose(track.joints_cam_m[2, joint_index("left_wrist")], wrist, atol=0.03)
    assert track.joint_confidence[2, joint_index("left_wrist")] == pytest.approx(0.9)


def test_the_head_stands_at_the_bodys_ears_and_keeps_its_place_in_the_picture() -> None:
    center = np.array([0.0, -0.36, 4.0]) * 0.8
    head = HeadReading(np.eye(3), center, 1.0)
    face = FaceReading(np.array([300.0, 100, 340, 150]), np.zeros(52), head, 1.0)
    track = _assemble([FrameReading(body=_body(), face=face)] * 4)
    np.testing.assert_allclose(track.head_center_cam_m[1], center / 0.8, atol=1e-3)
    np.testing.assert_allclose(track.project(track.head_center_cam_m[1]), CAMERA.project(center), atol=0.01)
    assert track.head_radius_m.std() < 1e-6


def test_a_lost_face_leaves_a_rougher_head() -> None:
    track = _assemble([FrameReading(body=_body())] * 4)
    assert 0 < track.head_confidence.min() <= track.head_confidence.max() < 0.5
    assert track.face_confidence.max() == 0
    assert track.head_center_cam_m[0, 2] == pytest.approx(4.0, abs=0.2)


def test_a_jump_to_another_person_is_neither_smoothed_nor_bridged() -> None:
    near, far = _body(np.array([-0.8, 0.2, 4.0])), _body(np.array([1.2, 0.2, 6.0]))
    readings = [FrameReading(body=near)] * 6 + [FrameReading()] * 2 + [FrameReading(body=far)] * 6
    assert split_shots(readings) == [slice(0, 8), slice(8, 14)]
    track = _assemble(readings)
    assert track.joint_confidence[6:8].max() == 0
    np.testing.assert_allclose(track.joints_cam_m[5, 0], [-0.8, 0.2, 4.0], atol=1e-3)
    np.testing.assert_allclose(track.joints_cam_m[8, 0], [1.2, 0.2, 6.0], atol=1e-3)


def test_a_moving_person_is_one_shot() -> None:
    readings = [FrameReading(body=_body(_moved(right_m=0.02 * t))) for t in range(50)]
    assert split_shots(readings) == [slice(0, 50)]


def test_sides_exchanged_in_some_frames_are_set_straight() -> None:
    bodies = [_body(_moved(right_m=0.01 * t)) for t in range(30)]
    wrong = {4, 11, 12, 13, 29}
    read = [
        replace(body, points_px=body.points_px[OTHER_SIDE], points_body_m=body.points_body_m[OTHER_SIDE])
        if t in wrong
        else body
        for t, body in enumerate(bodies)
    ]
    assert label_frames(read).tolist() == [3 if t in wrong else 0 for t in range(30)]
    track = _assemble([FrameReading(body=body) for body in read])
    clean = _assemble([FrameReading(body=body) for body in bodies])
    np.testing.assert_allclose(track.joints_cam_m, clean.joints_cam_m, atol=1e-4)


def test_a_person_who_turns_around_keeps_the_labels_that_were_read() -> None:
    skeleton = _skeleton()
    bodies = []
    for angle in np.linspace(0, np.pi, 40):
        turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
        turned = skeleton @ turn.T
        bodies.append(_reading(turned))
    assert not label_frames(bodies).any()


def test_arms_or_legs_alone_are_set_straight_and_blends_of_both_sides_are_no_readings() -> None:
    clean = [_body(_moved(right_m=0.01 * t)) for t in range(30)]
    arms = np.r_[0 : Point.LEFT_SHOULDER, OTHER_SIDE[Point.LEFT_SHOULDER : Point.LEFT_HIP], Point.LEFT_HIP : POINTS]
    read = list(clean)
    for t in range(12, 18):
        read[t] = replace(clean[t], points_px=clean[t].points_px[arms], points_body_m=clean[t].points_body_m[arms])
    # Between the spells: neither one side nor the other.
    for t in (11, 18):
        middle_px = (clean[t].points_px + clean[t].points_px[OTHER_SIDE]) / 2
        read[t] = replace(clean[t], points_px=middle_px)
    assert label_frames(read).tolist() == [0] * 11 + [PASSED_OVER] + [2] * 6 + [PASSED_OVER] + [0] * 11
    track = _assemble([FrameReading(body=body) for body in read])
    truth = _assemble([FrameReading(body=body) for body in clean])
    np.testing.assert_allclose(track.joints_cam_m, truth.joints_cam_m, atol=0.003)


def test_a_fast_movement_is_no_misreading() -> None:
    bodies = []
    for t in range(40):
        body = _body(_moved(right_m=0.02 * t))
        points_px = body.points_px.copy()
        # Both arms beat up and down at 4 Hz by a third of the body's height.
        points_px[Point.LEFT_ELBOW : Point.LEFT_HIP, 1] += 60 * np.sin(2 * np.pi * 4 * t / 25)
        bodies.append(replace(body, points_px=points_px))
    assert not label_frames(bodies).any()
