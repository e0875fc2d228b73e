"""The body fit on keypoints of bodies that are known exactly."""

from dataclasses import replace

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.skeleton import BODY_JOINTS, JOINT_COUNT, LEFT_HAND_JOINTS, joint_index

torch = pytest.importorskip("torch")

from dreamactor_signals.body_models.anny import AnnyBody  # noqa: E402
from dreamactor_signals.body_models.bones import BONE_COUNT, bone_index  # noqa: E402
from dreamactor_signals.fit import FittedClip, Keypoints, fit_clip  # noqa: E402
from dreamactor_signals.fit.energy import windows  # noqa: E402
from dreamactor_signals.fit.kinematics import Kinematics  # noqa: E402
from dreamactor_signals.fit.rotations import from_axis_angle, from_columns, to_columns  # noqa: E402
from dreamactor_signals.fit.start import FACING  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from scipy.spatial.transform import Rotation  # noqa: E402

FRAMES, FOCAL_PX, SIZE = 16, 700.0, (512, 512)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _waving() -> np.ndarray:
    """(T, J, 3) joints in camera space of someone 3 m away whose arms hang and swing."""
    turns = np.zeros((FRAMES, BONE_COUNT, 3))
    swing = np.sin(np.linspace(0, np.pi, FRAMES))
    turns[:, bone_index("left_upper_arm"), 2] = -1.2 + 0.8 * swing
    turns[:, bone_index("right_upper_arm"), 2] = 1.2
    turns[:, bone_index("left_lower_arm"), 1] = -0.3 - 0.9 * swing
    turns[:, bone_index("left_thigh"), 0] = -0.4 * swing
    turns[:, bone_index("left_shin"), 0] = 0.6 * swing
    body = AnnyBody().articulation
    root = torch.tensor(np.tile(FACING @ Rotation.from_euler("y", 0.3).as_matrix(), (FRAMES, 1, 1)))
    _, joints, _ = Kinematics(body, torch.device("cpu")).pose(
        torch.zeros(body.shape_count), root.float(), from_axis_angle(torch.tensor(turns).float())
    )
    return joints.numpy() + np.array((0.1, 0.0, 3.0), dtype=np.float32)


def _seen(joints_cam_m: np.ndarray, *, three: bool, confidence: np.ndarray | None = None) -> Keypoints:
    points_px = joints_cam_m[..., :2] / joints_cam_m[..., 2:] * FOCAL_PX + np.array(SIZE) / 2
    if confidence is None:
        confidence = np.ones((FRAMES, JOINT_COUNT), dtype=np.float32)
    own = joints_cam_m - joints_cam_m[:, :1] if three else None
    return Keypoints(points_px.astype(np.float32), confidence, SIZE, own, FOCAL_PX)


def _error_mm(fit: FittedClip, joints_cam_m: np.ndarray) -> np.ndarray:
    """(J,) root-aligned."""
    ours, theirs = (x - x[:, :1] for x in (fit.joints_cam_m, joints_cam_m))
    return 1000 * np.linalg.norm(ours - theirs, axis=-1).mean(axis=0)


@pytest.fixture(scope="module")
def fitted() -> FittedClip:
    return fit_clip(_seen(_waving(), three=True), AnnyBody(), fps=25.0)


def test_a_known_body_is_found_again(fitted: FittedClip) -> None:
    truth = _waving()
    error_mm = _error_mm(fitted, truth)
    assert error_mm[BODY_JOINTS].mean() < 25
    assert error_mm[LEFT_HAND_JOINTS].mean() < 45
    assert fitted.residual_px[:, BODY_JOINTS].mean() < 6
    np.testing.assert_allclose(np.linalg.det(fitted.head_rotation), 1, atol=1e-3)
    assert fitted.vertices_cam_m(slice(0, 1)).shape[2] == 3


def test_equal_input_gives_an_equal_fit(fitted: FittedClip) -> None:
    again = fit_clip(_seen(_waving(), three=True), AnnyBody(), fps=25.0)
    np.testing.assert_array_equal(again.joints_cam_m, fitted.joints_cam_m)


def test_two_dimensions_alone_stand_upright_and_explain_the_picture() -> None:
    truth = _waving()
    fit = fit_clip(_seen(truth, three=False), AnnyBody(), fps=25.0)
    assert np.isfinite(fit.joints_cam_m).all()
    assert fit.residual_px[:, BODY_JOINTS].mean() < 12
    up = fit.joints_cam_m[:, joint_index("neck")] - fit.joints_cam_m[:, joint_index("pelvis")]
    assert (up[:, 1] < -0.35).all()
    assert (fit.joints_cam_m[:, joint_index("left_hip"), 0] > fit.joints_cam_m[:, joint_index("right_hip"), 0]).all()


def test_a_portrait_keeps_quiet_unseen_legs() -> None:
    truth = _waving()
    random = np.random.default_rng(0)
    confidence = np.zeros((FRAMES, JOINT_COUNT), dtype=np.float32)
    for name in ("neck", "left_shoulder", "right_shoulder"):
        confidence[:, joint_index(name)] = 1
    noisy = truth + 0.005 * random.normal(size=truth.shape)
    fit = fit_clip(_seen(noisy, three=True, confidence=confidence), AnnyBody(), fps=25.0)
    steps_m = np.linalg.norm(np.diff(fit.joints_cam_m - fit.joints_cam_m[:, :1], axis=0), axis=-1)
    assert steps_m[:, BODY_JOINTS].max() < 0.05
    legs = fit.joints_cam_m[:, joint_index("left_ankle")] - fit.joints_cam_m[:, joint_index("pelvis")]
    assert (legs[:, 1] > 0.5).all()
    assert (fit.joint_confidence[:, joint_index("left_ankle")] < 0.1).all()


def test_one_wild_point_does_not_bend_the_body(fitted: FittedClip) -> None:
    truth = _waving()
    seen = _seen(truth, three=True)
    seen.points_px[8, joint_index("left_wrist")] += 200
    fit = fit_clip(seen, AnnyBody(), fps=25.0)
    wrist = joint_index("left_wrist")
    moved_mm = 1000 * np.linalg.norm(fit.joints_cam_m[8, wrist] - fitted.joints_cam_m[8, wrist])
    assert moved_mm < 60


def _lean(joints_cam_m: np.ndarray) -> float:
    """Sine of the torso's angle away from the camera, mean of all frames."""
    torso = joints_cam_m[:, joint_index("neck")] - joints_cam_m[:, joint_index("pelvis")]
    return float((torso[:, 2] / np.linalg.norm(torso, axis=-1)).mean())


def _turned_back(joints_cam_m: np.ndarray, angle_rad: float) -> np.ndarray:
    """The joints with what is up turned away from the camera, about the first frame's pelvis."""
    turn = Rotation.from_euler("x", angle_rad).as_matrix().astype(np.float32)
    return (joints_cam_m - joints_cam_m[0, 0]) @ turn + joints_cam_m[0, 0]


def _legless() -> np.ndarray:
    """(T, J) confidences in a picture that ends at the hips."""
    confidence = np.ones((FRAMES, JOINT_COUNT), dtype=np.float32)
    confidence[:, joint_index("left_knee") : joint_index("left_toe") + 1] = 0
    confidence[:, joint_index("right_knee") : joint_index("right_toe") + 1] = 0
    return confidence


def test_depths_that_lean_are_half_believed_where_no_legs_are_seen() -> None:
    truth = _waving()
    leaning, leans = _turned_back(truth, 0.3), []
    told = _lean(leaning) - _lean(truth)
    assert told > 0.2
    for confidence in (_legless(), None):
        seen = replace(_seen(truth, three=True, confidence=confidence), joints_cam_m=leaning)
        leans.append(_lean(fit_clip(seen, AnnyBody(), fps=25.0).joints_cam_m) - _lean(truth))
    assert leans[0] < 0.7 * told
    assert leans[0] < leans[1]


def test_who_lies_stays_lying() -> None:
    truth = _turned_back(_waving(), 1.2)
    lying = fit_clip(_seen(truth, three=True, confidence=_legless()), AnnyBody(), fps=25.0)
    assert _lean(lying.joints_cam_m) > 0.9 * _lean(truth) > 0.7


def test_smoothing_does_not_lag(fitted: FittedClip) -> None:
    wrist = joint_index("left_wrist")
    ours, theirs = (x[:, wrist, 1] - x[:, 0, 1] for x in (fitted.joints_cam_m, _waving()))
    shifts = [float(np.corrcoef(ours[2 + s : FRAMES - 2 + s], theirs[2 : FRAMES - 2])[0, 1]) for s in (-1, 0, 1)]
    assert shifts[1] == max(shifts)


def test_nothing_seen_is_a_typed_error() -> None:
    nobody = np.zeros((FRAMES, JOINT_COUNT), dtype=np.float32)
    with pytest.raises(InputError, match="no joint was seen"):
        fit_clip(_seen(_waving(), three=False, confidence=nobody), AnnyBody(), fps=25.0)


def test_one_frame_is_a_clip_too() -> None:
    truth = _waving()
    seen = _seen(truth, three=True)
    one = Keypoints(seen.points_px[:1], seen.confidence[:1], SIZE, seen.joints_cam_m[:1], FOCAL_PX)
    assert np.isfinite(fit_clip(one, AnnyBody(), fps=25.0).joints_cam_m).all()


@given(st.integers(1, 3000))
def test_windows_hold_every_frame_once(count: int) -> None:
    new = [range(w.frames.start + w.known, w.frames.stop) for w in windows(count)]
    assert [frame for window in new for frame in window] == list(range(count))


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_rotations_are_those_of_scipy(turn: list[float]) -> None:
    ours = from_axis_angle(torch.tensor(turn, dtype=torch.float64))
    np.testing.assert_allclose(ours, Rotation.from_rotvec(turn).as_matrix(), atol=1e-6)
    np.testing.assert_allclose(from_columns(to_columns(ours)), ours, atol=1e-6)
