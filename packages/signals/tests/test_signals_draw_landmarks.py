"""Face landmarks in place of the head sphere: where they are, what moves them, when they are hidden."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.draw import control_maps, overlay
from dreamactor_signals.draw.landmarks import landmarks_cam_m

Person = Callable[..., MotionTrack]
SIZE = (480, 640)
UPPER_LIP, LOWER_LIP, NOSE, CHIN, LEFT_LID_TOP, LEFT_LID_BOTTOM = 13, 14, 1, 152, 386, 374


def with_unit(track: MotionTrack, **units: float) -> MotionTrack:
    values = np.zeros((len(track), len(ARKIT_UNITS)))
    for name, value in units.items():
        values[:, ARKIT_UNITS.index(name)] = value
    return replace(track, face_units=values)


def test_the_face_stands_on_the_head_and_turns_with_it(person: Person) -> None:
    track = person(np.array([0.0, 0.5]), at_m=(0.0, 0.4, 1.2))
    points = landmarks_cam_m(track)
    nose_m = points[:, NOSE] - track.head_center_cam_m
    along = np.einsum("ti,ti->t", nose_m, -track.head_rotation[:, :, 2])
    assert (along > 0.9 * track.head_radius_m).all()
    assert nose_m[1, 0] > nose_m[0, 0] + 0.03
    # Twice the head, twice the face.
    twice = landmarks_cam_m(replace(track, head_radius_m=track.head_radius_m * 2))
    np.testing.assert_allclose(
        twice - track.head_center_cam_m[:, None], 2 * (points - track.head_center_cam_m[:, None]), atol=1e-6
    )


def test_units_open_the_mouth_and_close_the_eyes(person: Person) -> None:
    track = person(0.0, at_m=(0.0, 0.4, 1.2))

    def gap_m(moved: MotionTrack, upper: int, lower: int) -> float:
        points = landmarks_cam_m(moved)[0]
        return float(points[lower, 1] - points[upper, 1])

    rest = with_unit(track)
    assert gap_m(with_unit(track, jawOpen=0.6), UPPER_LIP, LOWER_LIP) > gap_m(rest, UPPER_LIP, LOWER_LIP) + 0.004
    closed = with_unit(track, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    assert gap_m(closed, LEFT_LID_TOP, LEFT_LID_BOTTOM) < 0.7 * gap_m(rest, LEFT_LID_TOP, LEFT_LID_BOTTOM)


def test_the_map_replaces_the_sphere_and_leaves_the_skeleton(person: Person) -> None:
    track = with_unit(person(0.2, at_m=(0.0, 0.4, 1.2)))
    sphere, landmarks = control_maps(track, SIZE), control_maps(track, SIZE, "landmarks")
    np.testing.assert_array_equal(sphere[:, :3], landmarks[:, :3])
    rows, columns = np.nonzero(landmarks[0, 3:].any(axis=0))
    assert 100 < len(rows) < np.count_nonzero(sphere[0, 3:].any(axis=0))
    center_px = track.project(track.head_center_cam_m)[0]
    assert abs(columns.mean() - center_px[0]) < 20
    assert rows.mean() > center_px[1]


def test_a_face_turned_away_is_not_drawn(person: Person) -> None:
    assert not control_maps(person(np.pi), SIZE, "landmarks")[:, 3:].any()
    hidden = replace(person(0.0), head_confidence=np.zeros(1))
    assert not control_maps(hidden, SIZE, "landmarks")[:, 3:].any()


def test_the_overlay_shows_what_the_maps_show(person: Person) -> None:
    track, image = person(0.0, at_m=(0.0, 0.4, 1.2)), np.full((640, 480, 3), 100, np.uint8)
    assert (overlay(image, track, 0, "landmarks") != overlay(image, track, 0)).any()
