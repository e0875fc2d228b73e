"""The body's face points move the head of a face in the picture, and nothing else of it."""

from dataclasses import replace

import numpy as np
import pytest
from dreamactor_signals.average_face import average_face
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.trackers.embedded.body import POINTS
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.head import canonical_body_points, ray_rotation
from dreamactor_signals.trackers.embedded.head_place import place_by_body
from dreamactor_signals.trackers.embedded.readings import BodyReading, HeadReading

CAMERA = Camera.assumed((640, 480), 55.0)
CENTER_M = np.array([0.1, -0.05, 1.1])


def head(yaw_rad: float = 0.0) -> HeadReading:
    turn = rotation_of_angles(np.array([yaw_rad]), np.zeros(1), np.zeros(1))[0]
    return HeadReading(ray_rotation(CENTER_M) @ turn, CENTER_M, 0.9)


def body_of(reading: HeadReading, down_radii: float = 0.0) -> BodyReading:
    """A body whose face points lie below where the head has them."""
    names, canonical_m = canonical_body_points(average_face())
    radius_m = average_face().skull_radius_m
    points_px = np.zeros((POINTS, 2))
    shift_m = np.array([0.0, down_radii * radius_m, 0.0])
    points_px[names] = CAMERA.project(canonical_m @ reading.rotation.T + reading.center_cam_m + shift_m)
    return BodyReading(points_px, np.zeros(POINTS), np.zeros((POINTS, 3)), np.ones(POINTS), 1.0)


def moved_radii(yaw_rad: float, down_radii: float) -> np.ndarray:
    """(2,) how far the head is moved in the picture, in radii."""
    reading = head(yaw_rad)
    (placed,) = place_by_body([reading], [body_of(reading, down_radii)], CAMERA)
    assert placed is not None
    np.testing.assert_array_equal(placed.rotation, reading.rotation)
    assert placed.center_cam_m[2] == reading.center_cam_m[2]
    return (placed.center_cam_m - reading.center_cam_m)[:2] / average_face().skull_radius_m


@pytest.mark.parametrize("yaw_rad", [-0.6, 0.0, 0.6])
def test_a_body_that_sees_the_face_lower_moves_the_head_down(yaw_rad: float) -> None:
    as_expected, lower = moved_radii(yaw_rad, 0.0), moved_radii(yaw_rad, 0.1)
    assert 0.02 < lower[1] - as_expected[1] < 0.2
    assert np.abs(as_expected).max() < 0.35


def test_without_a_body_or_with_another_ones_the_head_stays() -> None:
    reading = head()
    far = body_of(reading, down_radii=4.0)
    assert place_by_body([reading, None, reading], [None, far, far], CAMERA) == [reading, None, reading]


def test_in_a_close_up_without_shoulders_the_head_stays() -> None:
    reading = head()
    guessed = replace(body_of(reading, 0.1), visibility=np.zeros(POINTS))
    assert place_by_body([reading], [guessed], CAMERA) == [reading]


def test_a_shots_mean_counts_beside_each_frame() -> None:
    reading = head()
    alone = place_by_body([reading], [body_of(reading)], CAMERA)[0]
    among = place_by_body([reading] * 3, [body_of(reading), body_of(reading, 0.1), body_of(reading, 0.1)], CAMERA)[0]
    assert alone is not None
    assert among is not None
    assert (alone.center_cam_m != among.center_cam_m).any()
