"""Heads that turn away: which way they face without a face, and a sphere that does not tear."""

import numpy as np
import pytest
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_signals.head_angles import angles_of_rotation, rotation_of_angles
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_head import Heads, fuse_heads
from dreamactor_signals.trackers.embedded.head_calibration import (
    head_calibration,
    roll_nod_yaw,
    rotation_of_roll_nod_yaw,
)
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import HeadReading
from dreamactor_signals.trackers.embedded.turning import angles_between_rad

CAMERA = Camera.assumed((640, 480), 55)
PACE = Pace.of(SignalsSettings(), 25)
DISTANCE_M = 1.6


def fused(
    true_deg: np.ndarray, read_deg: np.ndarray, face_seen: np.ndarray, glimpsed: np.ndarray | None = None
) -> tuple[Heads, np.ndarray]:
    """Heads of a person who turns by yaw; where no face is seen the body tells another yaw. With their errors, deg."""
    true, read = (_turned(degrees) for degrees in (true_deg, read_deg))
    center = np.array([0.1, -0.05, DISTANCE_M])
    faces = [HeadReading(turn, center, 1.0) if seen else None for turn, seen in zip(true, face_seen, strict=True)]
    bodies = [HeadReading(turn, center + 0.01, 0.4) for turn in read]
    heads = fuse_heads(faces, bodies, np.full(len(true), DISTANCE_M), CAMERA, PACE, glimpsed)
    return heads, np.degrees(angles_between_rad(heads.rotation, true))


def _turned(yaw_deg: np.ndarray) -> np.ndarray:
    zeros = np.zeros(len(yaw_deg))
    return rotation_of_angles(np.radians(yaw_deg), zeros, zeros)


def test_a_full_turn_read_back_to_front_keeps_one_sphere_that_goes_round() -> None:
    true_deg = np.linspace(0, 360, 100)
    seen = np.cos(np.radians(true_deg)) > 0.4
    behind = np.cos(np.radians(true_deg)) < -0.5
    heads, error_deg = fused(true_deg, np.where(behind, true_deg + 180, true_deg), seen)
    assert heads.confidence.min() >= 0.3
    assert error_deg.max() < 25
    assert error_deg[seen].max() < 3
    # It passes the back, and not the front again.
    assert np.abs(np.degrees(angles_of_rotation(heads.rotation)[0])[behind]).min() > 110
    assert np.linalg.norm(np.diff(heads.center_cam_m, axis=0), axis=1).max() < 0.02


def test_a_face_hidden_for_two_seconds_does_not_turn_the_head_round() -> None:
    true_deg = np.full(90, 10.0)
    seen = np.ones(90, dtype=bool)
    seen[20:70] = False
    _, error_deg = fused(true_deg, true_deg + 6, seen)
    assert error_deg.max() < 8


def test_a_face_that_is_only_glimpsed_does_not_turn_the_head_round_however_long() -> None:
    true_deg = np.full(200, 40.0)
    seen = np.arange(200) < 10
    _, unseen_deg = fused(true_deg, true_deg + 6, seen)
    assert unseen_deg[100] > 90
    _, error_deg = fused(true_deg, true_deg + 6, seen, ~seen)
    assert error_deg.max() < 8


def test_a_face_on_the_back_of_the_head_is_not_believed() -> None:
    true_deg = np.linspace(0, 180, 60)
    heads, _ = fused(np.where(true_deg > 150, 0.0, true_deg), true_deg, (true_deg < 60) | (true_deg > 150))
    assert np.abs(np.degrees(angles_of_rotation(heads.rotation)[0])[-5:]).min() > 120


def test_a_lost_face_starts_from_where_it_was_and_not_from_where_the_body_thinks() -> None:
    true_deg = np.full(40, 30.0)
    seen = np.arange(40) < 20
    _, error_deg = fused(true_deg, true_deg - 20, seen)
    assert error_deg[20] < 4
    assert error_deg[20] < error_deg[30] < error_deg[-1] < 21


def test_nobody_stays_nobody() -> None:
    heads = fuse_heads([None] * 3, [None] * 3, np.zeros(3), CAMERA, PACE)
    assert not heads.confidence.any()
    assert not heads.radius_m.any()
    np.testing.assert_array_equal(heads.rotation, np.tile(np.eye(3), (3, 1, 1)))


@pytest.mark.parametrize("angles_deg", [(0, 0, 0), (10, -30, 50), (-20, 25, -160), (5, 80, 10)])
def test_roll_nod_and_yaw_make_the_rotation_they_are_read_from(angles_deg: tuple[float, float, float]) -> None:
    angles_rad = np.radians(angles_deg)
    rotation = rotation_of_roll_nod_yaw(angles_rad)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(roll_nod_yaw(rotation), angles_rad, atol=1e-9)


def test_corrections_stay_bounded_on_a_face_unlike_any() -> None:
    calibration = head_calibration()
    random = np.random.default_rng(0)
    strange_px = 400 + 900 * (
        calibration.face.points_head_m + random.normal(0, 0.02, calibration.face.points_head_m.shape)
    )
    usual = calibration.correct(400 + 900 * calibration.face.points_head_m)
    found = calibration.correct(strange_px)
    assert angles_between_rad(found.rotation, usual.rotation) < 0.6
    assert 0.7 < found.radius_px / usual.radius_px < 1.4


def sizes(depth_m: np.ndarray) -> np.ndarray:
    """(T,) what becomes of the depths of a head that is seen in every frame, against the first."""
    heads = [HeadReading(np.eye(3), np.array([0.0, 0.0, depth]), 1.0) for depth in depth_m]
    fused = fuse_heads(heads, [None] * len(heads), np.zeros(len(heads)), CAMERA, PACE)
    return np.asarray(fused.center_cam_m[:, 2] / fused.center_cam_m[0, 2])


def test_a_head_neither_grows_nor_shrinks_much_where_it_is_misread() -> None:
    misread_m = DISTANCE_M * (1 + 0.03 * np.sin(np.linspace(0, 4 * np.pi, 100)))
    assert np.ptp(sizes(misread_m)) < 0.5 * np.ptp(misread_m / misread_m[0])


def test_a_head_that_comes_nearer_grows() -> None:
    nearer_m = np.linspace(3 * DISTANCE_M, DISTANCE_M, 100)
    np.testing.assert_allclose(sizes(nearer_m), nearer_m / nearer_m[0], rtol=0.08)
