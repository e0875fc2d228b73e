"""Results of other programs become tracks."""

import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import LEFT_HAND_JOINTS, joint_index
from dreamactor_signals.body_models.anny import AnnyBody
from dreamactor_signals.commands import app
from dreamactor_signals.external import import_track
from dreamactor_signals.external.humans4d import read_4dhumans
from dreamactor_signals.head_angles import angles_of_rotation
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

FRAMES = 6
# SMPL's axes have y up, the camera's y down: someone upright who faces the camera.
FACING = np.diag((1.0, -1.0, -1.0))


def _person(turn_deg: float = 0.0) -> dict[str, np.ndarray]:
    body_pose = np.tile(np.eye(3), (23, 1, 1))
    # SMPL's joint 18 is the left elbow; joints of body_pose count from 1.
    body_pose[17] = Rotation.from_euler("y", -90, degrees=True).as_matrix()
    turn = Rotation.from_euler("y", turn_deg, degrees=True).as_matrix()
    return {"global_orient": (FACING @ turn)[None], "body_pose": body_pose, "betas": np.zeros(10)}


def _phalp(path: Path, frames: list[list[int]]) -> Path:
    """A file of PHALP's layout: which people are in which frame."""
    value = {
        f"{t:06d}.jpg": {
            "tid": people,
            "smpl": [_person() for _ in people],
            "camera": [np.array((0.1 * t, 0.2, 20.0)) for _ in people],
            "size": [[480, 640] for _ in people],
            "conf": [0.9 for _ in people],
        }
        for t, people in enumerate(frames)
    }
    path.write_bytes(pickle.dumps(value))
    return path


@pytest.fixture
def bodies(tmp_path: Path) -> Path:
    return _phalp(tmp_path / "demo.pkl", [[1, 2]] * FRAMES)


def test_pose_and_place_of_a_person(bodies: Path) -> None:
    track = import_track(bodies, AnnyBody(), Fraction(25))
    assert len(track) == FRAMES
    assert track.frame_size == (640, 480)
    assert track.focal_px == pytest.approx(5000 / 256 * 640)
    shoulder, elbow, wrist = (
        track.joints_cam_m[0, joint_index(f"left_{name}")] for name in ("shoulder", "elbow", "wrist")
    )
    # The person's left is at the image's right; the bent elbow points the hand at the camera.
    assert elbow[0] > shoulder[0] + 0.15
    assert wrist[2] < elbow[2] - 0.15
    assert track.joints_cam_m[0, joint_index("left_ankle"), 1] > track.joints_cam_m[0, joint_index("neck"), 1] + 0.8
    moved = track.joints_cam_m[5, 0] - track.joints_cam_m[0, 0]
    np.testing.assert_allclose(moved, (0.5, 0, 0), atol=1e-5)
    np.testing.assert_allclose(track.head_rotation[0], np.eye(3), atol=1e-5)


def test_the_one_who_stays_longest_is_taken_and_gaps_are_gaps(tmp_path: Path) -> None:
    path = _phalp(tmp_path / "demo.pkl", [[7], [7, 3], [3], [3], [], [3]])
    track = import_track(path, AnnyBody(), Fraction(25))
    np.testing.assert_array_equal(track.head_confidence > 0, [False, True, True, True, False, True])
    assert (track.joint_confidence[[0, 4]] == 0).all()
    assert (track.joints_cam_m[[0, 4]] == 0).all()
    np.testing.assert_array_equal(read_4dhumans(path, 7).confidence > 0, [True, True, False, False, False, False])
    with pytest.raises(InputError, match="no person 9"):
        read_4dhumans(path, 9)


def test_one_person_as_npz_says_the_same(tmp_path: Path, bodies: Path) -> None:
    of_pickle = read_4dhumans(bodies, 1)
    path = tmp_path / "one.npz"
    one = _person()
    np.savez(
        path,
        global_orient=np.tile(one["global_orient"], (FRAMES, 1, 1)),
        body_pose=np.tile(one["body_pose"], (FRAMES, 1, 1, 1)),
        camera=of_pickle.pelvis_cam_m,
        size=np.array((480, 640)),
    )
    np.testing.assert_allclose(read_4dhumans(path).rotations_cam, of_pickle.rotations_cam, atol=1e-12)


def _hands(path: Path, **change: Any) -> Path:
    points = np.zeros((2, 21, 3))
    points[:, 1:, 0] = 0.05
    values = {
        "frame": np.array((2, 3)),
        "right": np.array((0, 1)),
        "pred_keypoints_3d": points,
        "pred_cam_t_full": np.array([(0, 0, 20.0)] * 2),
    }
    np.savez(path, **(values | change))
    return path


def test_hands_join_the_wrists_and_left_ones_are_turned_back(tmp_path: Path, bodies: Path) -> None:
    track = import_track(bodies, AnnyBody(), Fraction(25), hands_file=_hands(tmp_path / "hands.npz"))
    fingers = track.joints_cam_m[2, LEFT_HAND_JOINTS] - track.joints_cam_m[2, joint_index("left_wrist")]
    np.testing.assert_allclose(fingers, np.tile((-0.05, 0, 0), (20, 1)), atol=1e-5)
    assert (track.joint_confidence[2, LEFT_HAND_JOINTS] == 1).all()
    assert (track.joint_confidence[3, LEFT_HAND_JOINTS] < 0.1).all()
    with pytest.raises(InputError, match="frame 9"):
        import_track(bodies, AnnyBody(), Fraction(25), hands_file=_hands(tmp_path / "late.npz", frame=np.array((2, 9))))


def test_heads_of_faceverse(tmp_path: Path, bodies: Path) -> None:
    coefficients = np.zeros((FRAMES, 150 + 171 + 251 + 33))
    yaw_rad = np.linspace(-0.5, 0.5, FRAMES)
    # A head that faces the camera stands at (pi, 0, 0); turning about y before that is a yaw the other way round.
    coefficients[:, 572:575] = np.stack([np.full(FRAMES, np.pi), -yaw_rad, np.zeros(FRAMES)], 1)
    packed, plain = tmp_path / "packed.npz", tmp_path / "plain.npz"
    np.savez(packed, coeffs=coefficients, id_dims=150, exp_dims=171, tex_dims=251)
    np.savez(plain, angle=coefficients[:, 572:575])
    tracks = [import_track(bodies, AnnyBody(), Fraction(25), face_file=path) for path in (packed, plain)]
    np.testing.assert_array_equal(tracks[0].head_rotation, tracks[1].head_rotation)
    angles = np.array(angles_of_rotation(tracks[0].head_rotation)).reshape(-1)
    assert np.isclose(np.abs(angles).max(), 0.5, atol=1e-4)
    np.savez(packed, coeffs=coefficients, id_dims=500, exp_dims=171, tex_dims=251)
    with pytest.raises(InputError, match="do not hold"):
        import_track(bodies, AnnyBody(), Fraction(25), face_file=packed)


def test_wrong_files_are_typed_errors(tmp_path: Path, bodies: Path) -> None:
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, something=np.zeros(3))
    with pytest.raises(InputError, match="not a 4DHumans result"):
        import_track(wrong, AnnyBody(), Fraction(25))
    with pytest.raises(InputError, match="not a HaMeR result"):
        import_track(bodies, AnnyBody(), Fraction(25), hands_file=wrong)
    with pytest.raises(InputError, match="not a FaceVerse result"):
        import_track(bodies, AnnyBody(), Fraction(25), face_file=wrong)


def test_the_command(tmp_path: Path, bodies: Path) -> None:
    output = tmp_path / "track.safetensors"
    result = CliRunner().invoke(app, ["import", str(bodies), "-o", str(output), "--fps", "30000/1001"])
    assert result.exit_code == 0, result.output
    track = MotionTrack.load(output)
    assert track.fps == Fraction(30000, 1001)
    assert track.trackers["body"].startswith("4DHumans")
