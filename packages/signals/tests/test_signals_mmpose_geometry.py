"""What the mmpose tracker makes of exact keypoints, without mmpose: joints, heads, boxes and whole clips."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import BODY_JOINTS, BONES, JOINT_NAMES, MIRROR, joint_index
from dreamactor_signals.average_face import average_face
from dreamactor_signals.body_models.anny import AnnyBody
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.readings import BodyReading, FaceReading, FrameReading, HeadReading
from dreamactor_signals.trackers.mmpose.boxes import BoxFollower, box_of_body, box_of_face, box_of_keypoints
from dreamactor_signals.trackers.mmpose.clip import Clip, Sighting, assemble
from dreamactor_signals.trackers.mmpose.head import ON_AVERAGE_FACE, face_box_of_points, head_of_points
from dreamactor_signals.trackers.mmpose.layout import FACE, joints_seen

# COCO-WholeBody, as its own annotation files list it.
COCO = dict(
    enumerate(
        (
            "nose",
            "left_eye",
            "right_eye",
            "left_ear",
            "right_ear",
            "left_shoulder",
            "right_shoulder",
            "left_elbow",
            "right_elbow",
            "left_wrist",
            "right_wrist",
            "left_hip",
            "right_hip",
            "left_knee",
            "right_knee",
            "left_ankle",
            "right_ankle",
            "left_big_toe",
            "left_small_toe",
            "left_heel",
            "right_big_toe",
            "right_small_toe",
            "right_heel",
        )
    )
)
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# The embedded body's face points on the average face: nose, the eyes' inner, middle and outer, ears, mouth.
FACE_OF_BODY = (1, 362, 386, 263, 133, 159, 33, 454, 234, 291, 61)
# Chin, jaw's ends and mouth's corners, on top of the points that tell the pose.
MORE_FACE = {0: 127, 8: 152, 16: 356, 48: 61, 54: 291}


def coco_names() -> dict[int, str]:
    names = dict(COCO)
    for side, first in (("left", 91), ("right", 112)):
        names[first] = f"{side}_wrist"
        for number, finger in enumerate(FINGERS):
            for knuckle in range(1, 5):
                names[first + 4 * number + knuckle] = f"{side}_{finger}_{knuckle}"
    return names


def exact_keypoints(track: MotionTrack) -> np.ndarray:
    """(T, 133, 3) what a faultless network would see of a track's person."""
    keypoints = np.zeros((len(track), 133, 3))
    joints_px = track.project(track.joints_cam_m)
    for index, name in coco_names().items():
        joint = name.replace("big_toe", "toe").replace("small_toe", "toe")
        if joint in JOINT_NAMES:
            keypoints[:, index, :2] = joints_px[:, joint_index(joint)]
            keypoints[:, index, 2] = 0.9
    origin_m = track.head_center_cam_m
    face_m = average_face().points_head_m
    for index, vertex in (ON_AVERAGE_FACE | MORE_FACE).items():
        at_m = origin_m + track.head_rotation @ face_m[vertex]
        keypoints[:, FACE.start + index] = np.column_stack([track.project(at_m), np.full(len(track), 0.9)])
    return keypoints


def _clip(track: MotionTrack) -> Clip:
    camera = Camera(track.focal_px, (float(track.principal_px[0]), float(track.principal_px[1])))
    return Clip(camera, track.fps, track.frame_size, SignalsSettings(), AnnyBody())


def _assemble(track: MotionTrack, sightings: list[Sighting]) -> MotionTrack:
    return assemble(sightings, _clip(track), trackers={"body": "test"}, source_sha256="0" * 64)


@pytest.fixture(scope="module")
def turning(person: Callable[..., MotionTrack]) -> MotionTrack:
    return person(np.linspace(-0.5, 0.5, 12), pitch_rad=0.1)


@pytest.fixture(scope="module")
def tracked(turning: MotionTrack) -> MotionTrack:
    return _assemble(turning, [Sighting(points, FrameReading()) for points in exact_keypoints(turning)])


def test_every_keypoint_goes_to_the_joint_of_its_name() -> None:
    for index, name in coco_names().items():
        keypoints = np.zeros((1, 133, 3))
        keypoints[0, index] = (7, 9, 1)
        points_px, confidence = joints_seen(keypoints)
        if name in JOINT_NAMES:
            assert confidence[0, joint_index(name)] == 1
            np.testing.assert_allclose(points_px[0, joint_index(name)], (7, 9))
        # Where two keypoints make a joint, one alone makes none.
        assert (confidence > 0).sum() == (name in JOINT_NAMES)


def test_middles_lie_between_their_keypoints_and_are_as_sure_as_the_less_certain() -> None:
    keypoints = np.zeros((1, 133, 3))
    keypoints[0, [11, 12]] = [(10, 20, 0.9), (30, 40, 0.5)]
    keypoints[0, [17, 18]] = [(1, 1, 0.9), (3, 5, 0.8)]
    points_px, confidence = joints_seen(keypoints)
    np.testing.assert_allclose(points_px[0, joint_index("pelvis")], (20, 30))
    assert confidence[0, joint_index("pelvis")] == np.float32(0.5)
    np.testing.assert_allclose(points_px[0, joint_index("left_toe")], (2, 3))


def test_a_wrist_that_is_seen_twice_lies_nearer_to_the_surer_sighting() -> None:
    keypoints = np.zeros((1, 133, 3))
    keypoints[0, [9, 91]] = [(0, 0, 0.3), (10, 10, 0.9)]
    points_px, confidence = joints_seen(keypoints)
    np.testing.assert_allclose(points_px[0, joint_index("left_wrist")], (7.5, 7.5), rtol=1e-5)
    assert confidence[0, joint_index("left_wrist")] == np.float32(0.9)


def test_what_would_not_be_drawn_is_not_seen() -> None:
    keypoints = np.full((1, 133, 3), 0.29)
    points_px, confidence = joints_seen(keypoints)
    assert not confidence.any()
    assert not points_px.any()


@pytest.mark.parametrize("yaw_deg", [-70, -30, 0, 45, 70])
@pytest.mark.parametrize("pitch_deg", [-25, 0, 25])
def test_the_head_is_read_from_the_face_points(
    person: Callable[..., MotionTrack], yaw_deg: float, pitch_deg: float
) -> None:
    track = person(np.radians(yaw_deg), pitch_rad=np.radians(pitch_deg), roll_rad=0.2, at_m=(0.4, 0.2, 2.5))
    camera = _clip(track).camera
    head = head_of_points(exact_keypoints(track)[0, FACE], camera)
    assert head is not None
    np.testing.assert_allclose(head.rotation, track.head_rotation[0], atol=2e-3)
    np.testing.assert_allclose(head.center_cam_m, track.head_center_cam_m[0], atol=5e-3)
    assert 0.5 < head.confidence < 0.9


def test_no_head_of_too_few_points(turning: MotionTrack) -> None:
    points = exact_keypoints(turning)[0, FACE]
    points[30:, 2] = 0.1
    points[17:22, 2] = 0.1
    assert head_of_points(points, _clip(turning).camera) is None
    assert face_box_of_points(points)[1] == 0


def test_the_face_box_holds_forehead_and_chin(person: Callable[..., MotionTrack]) -> None:
    track = person(0.0)
    points = exact_keypoints(track)[0, FACE]
    points[points[:, 2] == 0] = points[8]
    box_px, score = face_box_of_points(points)
    origin_m = track.head_center_cam_m
    face_px = track.project(origin_m + average_face().points_head_m @ track.head_rotation[0].T)
    np.testing.assert_allclose(box_px[[1, 3]], (face_px[:, 1].min(), face_px[:, 1].max()), atol=3)
    assert score == pytest.approx(0.9)


def test_the_fitted_body_stands_where_the_person_stands(turning: MotionTrack, tracked: MotionTrack) -> None:
    truth_px, seen_px = (track.project(track.joints_cam_m)[:, BODY_JOINTS] for track in (turning, tracked))
    height_px = np.ptp(truth_px[..., 1], axis=1).mean()
    assert np.linalg.norm(truth_px - seen_px, axis=-1).mean() < 0.03 * height_px
    depths_m = tracked.joints_cam_m[:, joint_index("pelvis"), 2]
    assert depths_m.std() < 0.15
    assert 2 < depths_m.mean() < 4.5
    assert tracked.joint_confidence[:, BODY_JOINTS].min() >= 0.9


def test_the_fitted_body_has_a_humans_bones_of_one_length(tracked: MotionTrack) -> None:
    lengths_m = np.linalg.norm(tracked.joints_cam_m[:, BONES[:, 1]] - tracked.joints_cam_m[:, BONES[:, 0]], axis=-1)
    assert lengths_m.max() < 0.75
    thigh = JOINT_NAMES[1:].index("left_knee")
    assert lengths_m[:, thigh].std() < 1e-3
    assert lengths_m[:, thigh].mean() == pytest.approx(lengths_m[:, MIRROR[1:][thigh] - 1].mean(), rel=0.02)


def test_heads_of_the_clip_come_from_the_face_points(turning: MotionTrack, tracked: MotionTrack) -> None:
    turn = tracked.head_rotation.astype(np.float64) @ turning.head_rotation.transpose(0, 2, 1)
    error_deg = np.degrees(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert error_deg.max() < 4
    center_px, truth_px = (track.project(track.head_center_cam_m) for track in (tracked, turning))
    np.testing.assert_allclose(center_px, truth_px, atol=3)
    assert tracked.head_confidence.min() > 0.5
    assert tracked.face_confidence.min() == 0


def test_nobody_read_an_expression(tracked: MotionTrack) -> None:
    assert tracked.face_units is None


def test_the_face_networks_expression_and_head_go_before_mmposes(turning: MotionTrack) -> None:
    head = HeadReading(rotation_of_angles(0.3, 0.0, 0.0), turning.head_center_cam_m[0].astype(np.float64), 0.9)
    face = FaceReading(box_px=np.array([10.0, 20, 30, 50]), units=np.full(52, 0.25), head=head, score=0.8)
    sightings = [Sighting(points, FrameReading(face=face)) for points in exact_keypoints(turning)]
    track = _assemble(turning, sightings)
    assert track.face_units is not None
    np.testing.assert_allclose(track.face_units, 0.25, atol=1e-6)
    np.testing.assert_allclose(track.face_boxes_px, np.tile(face.box_px, (12, 1)))
    np.testing.assert_allclose(track.head_rotation, np.tile(head.rotation, (12, 1, 1)), atol=1e-5)


def test_a_hidden_head_is_the_embedded_bodys_else_the_fitted_bodys(turning: MotionTrack) -> None:
    keypoints = exact_keypoints(turning)
    keypoints[:, FACE, 2] = 0
    fitted = _assemble(turning, [Sighting(points, FrameReading()) for points in keypoints])
    assert fitted.head_confidence.max() < 0.3
    assert fitted.head_confidence.min() > 0.1
    center_px, truth_px = (track.project(track.head_center_cam_m) for track in (fitted, turning))
    np.testing.assert_allclose(center_px, truth_px, atol=15)
    readings = [FrameReading(body=_embedded_body(turning[t : t + 1])) for t in range(len(turning))]
    told = _assemble(turning, [Sighting(*pair) for pair in zip(keypoints, readings, strict=True)])
    assert told.head_confidence.min() > fitted.head_confidence.max()


def test_a_gap_is_bridged_and_a_long_absence_is_not(turning: MotionTrack) -> None:
    keypoints = np.concatenate([exact_keypoints(turning)] * 4)
    gap, absence = slice(5, 8), slice(16, 40)
    sightings = [
        Sighting(None if t in range(*gap.indices(48)) or t in range(*absence.indices(48)) else points, FrameReading())
        for t, points in enumerate(keypoints)
    ]
    track = _assemble(turning, sightings)
    assert track.joint_confidence[gap, BODY_JOINTS].min() > 0.3
    assert track.joint_confidence[gap, BODY_JOINTS].max() < 0.6
    assert not track.joint_confidence[absence].any()
    assert not track.joints_cam_m[absence].any()
    assert track.joint_confidence[40:, BODY_JOINTS].min() >= 0.9


def test_depths_of_the_embedded_body_count_only_where_it_sees_what_mmpose_sees(
    person: Callable[..., MotionTrack], body_m: np.ndarray
) -> None:
    """An arm that reaches back: the picture alone does not tell it from one that reaches forward, as most do."""
    reaching = body_m.copy()
    reaching[joint_index("left_elbow")] = reaching[joint_index("left_shoulder")] + (0.05, 0.18, 0.2)
    reaching[joint_index("left_wrist")] = reaching[joint_index("left_elbow")] + (0.02, 0.2, 0.13)
    truth = person(np.zeros(6), body_m=reaching)
    keypoints = exact_keypoints(truth)
    keypoints[:, 91:, 2] = 0

    def backward_m(body: BodyReading) -> float:
        track = _assemble(truth, [Sighting(points, FrameReading(body=body)) for points in keypoints])
        wrist, shoulder = (track.joints_cam_m[:, joint_index(f"left_{part}"), 2] for part in ("wrist", "shoulder"))
        return float((wrist - shoulder).mean())

    agreeing = _embedded_body(truth)
    elsewhere = replace(agreeing, points_px=agreeing.points_px + np.array([200, 0]))
    assert backward_m(agreeing) > 0.2
    assert backward_m(elsewhere) < backward_m(agreeing) - 0.1


def _embedded_body(track: MotionTrack) -> BodyReading:
    from dreamactor_signals.trackers.embedded.body import Point

    face_m = track.head_center_cam_m[0] + average_face().points_head_m @ track.head_rotation[0].T
    points_cam_m = np.zeros((33, 3))
    points_cam_m[: len(FACE_OF_BODY)] = face_m[list(FACE_OF_BODY)]
    for point in Point:
        side, _, part = point.name.lower().partition("_")
        # Fingers are where the wrist is.
        part = part if f"{side}_{part}" in JOINT_NAMES else "wrist"
        if point >= len(FACE_OF_BODY):
            points_cam_m[point] = track.joints_cam_m[0, joint_index(f"{side}_{part}")]
    hips = track.joints_cam_m[0, joint_index("pelvis")]
    depth_px = (points_cam_m - hips)[:, 2] * track.focal_px / hips[2]
    return BodyReading(track.project(points_cam_m), depth_px, points_cam_m - hips, np.ones(33), 1.0)


def test_the_box_follows_the_body_then_the_keypoints_then_the_face(turning: MotionTrack) -> None:
    body, keypoints = _embedded_body(turning), exact_keypoints(turning)[0]
    follower = BoxFollower(turning.frame_size, None, 0.5)
    assert follower.next(None, None) is None
    follower.seen(None)
    from_body = follower.next(body, None)
    assert from_body is not None
    joints_px = turning.project(turning.joints_cam_m[0, BODY_JOINTS])
    assert (joints_px.min(axis=0) > from_body[:2]).all()
    assert (joints_px.max(axis=0) < from_body[2:]).all()
    follower.seen(keypoints)
    from_keypoints = follower.next(None, None)
    np.testing.assert_allclose(from_keypoints, box_of_keypoints(keypoints, 0.5), atol=1e-3)
    follower.seen(np.zeros((133, 3)))
    assert follower.next(None, None) is None


def test_keypoints_that_wander_off_are_not_followed(turning: MotionTrack) -> None:
    body, keypoints = _embedded_body(turning), exact_keypoints(turning)[0]
    follower = BoxFollower((4000, 4000), None, 0.5)
    follower.next(body, None)
    follower.seen(keypoints + np.array([1500, 1500, 0]))
    assert follower.next(None, None) is None


def test_a_given_box_holds_until_something_is_seen(turning: MotionTrack) -> None:
    given = np.array([-20.0, 10, 200, 9000])
    follower = BoxFollower((480, 640), given, 0.5)
    np.testing.assert_allclose(follower.next(None, None), (0, 10, 200, 640))
    outside = BoxFollower((480, 640), np.array([500.0, 10, 600, 100]), 0.5)
    assert outside.next(None, None) is None


def test_boxes_hold_the_whole_head(turning: MotionTrack) -> None:
    head_top_px = (
        turning.project(turning.head_center_cam_m)[0, 1]
        - turning.focal_px * turning.head_radius_m[0] / turning.head_center_cam_m[0, 2]
    )
    keypoints = exact_keypoints(turning)[0]
    around = box_of_keypoints(keypoints, 0.5)
    assert around is not None
    assert around[1] < head_top_px + 3
    face = FaceReading(np.array([100.0, 100, 200, 220]), np.zeros(52), HeadReading(np.eye(3), np.ones(3), 1.0), 1.0)
    np.testing.assert_allclose(box_of_face(face), (-10, -20, 310, 520))
    assert box_of_body(_embedded_body(turning))[1] < turning.project(turning.head_center_cam_m)[0, 1]


def test_rates_other_than_whole_numbers_pass_through(turning: MotionTrack, tracked: MotionTrack) -> None:
    assert tracked.fps == turning.fps == Fraction(30000, 1001)
    assert tracked.focal_px == turning.focal_px
