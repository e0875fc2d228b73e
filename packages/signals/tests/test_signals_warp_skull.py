"""Skulls as far out as the picture shows hair, and heads without holes however they turn."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp.beside import beside_face, nearest
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_mesh import SKULL_RADIUS, head_mesh
from dreamactor_signals.warp.head_piece import HeadPiece
from dreamactor_signals.warp.layer import Layer
from dreamactor_signals.warp.skull import outline, reach, shaped_skull
from dreamactor_signals.warp.spreading import spread

Alone = Callable[[Layer], np.ndarray]
SIDE, SKULL_PX = 160, 30.0
CENTER_PX = np.array([80.0, 70.0])
HAIR, SKIN = (60.0, 200.0, 40.0), (200.0, 150.0, 120.0)


def head(yaw: float = 0.0) -> Head:
    return Head(CENTER_PX, SKULL_PX, rotation_of_angles(np.array(yaw), np.zeros(()), np.zeros(())), 1.0)


def radii_from_center() -> np.ndarray:
    """In radii from the centre of the skull."""
    return np.linalg.norm(pixel_centers((SIDE, SIDE)) - CENTER_PX, axis=-1) / SKULL_PX


def portrait(place: Head, radius: float) -> np.ndarray:
    """(H, W, 4) a face in hair that reaches so far."""
    image_HW4 = np.zeros((SIDE, SIDE, 4), np.float32)
    image_HW4[radii_from_center() < radius] = (*HAIR, 1.0)
    mesh = head_mesh()
    on_HW, face_HW1 = place.surface((SIDE, SIDE), mesh.points, mesh.is_face[:, None])
    image_HW4[on_HW & (face_HW1[..., 0] > 0.5)] = (*SKIN, 1.0)
    return image_HW4


@pytest.mark.parametrize("radius", [0.85, 1.0, 1.3])
def test_the_outline_is_that_of_the_hair_and_the_average_one_at_the_neck(radius: float) -> None:
    outline_A = outline(head(), (radii_from_center() < radius).astype(np.float32))
    aside, up, down = np.array([[1.0, 0.0], [-0.5, -1.0], [0.0, 1.0]])
    assert reach(outline_A, aside) == pytest.approx(radius, abs=0.05)
    assert reach(outline_A, up) == pytest.approx(radius, abs=0.05)
    assert reach(outline_A, down) == pytest.approx(SKULL_RADIUS, abs=0.01)


def test_where_the_picture_ends_the_outline_is_not_known() -> None:
    """The head's right half is beyond the picture's edge, a radius of 1.2 of it is seen above."""
    place = Head(np.array([15.0, 70.0]), SKULL_PX, np.eye(3), 1.0)
    near_HW = np.linalg.norm(pixel_centers((SIDE, SIDE)) - place.center_px, axis=-1) < 1.2 * SKULL_PX
    outline_A = outline(place, near_HW.astype(np.float32))
    assert reach(outline_A, np.array([-1.0, 0.0])) == pytest.approx(SKULL_RADIUS, abs=0.02)
    assert reach(outline_A, np.array([0.3, -1.0])) == pytest.approx(1.2, abs=0.05)


def test_the_skull_is_wide_where_the_outline_is_and_the_face_stays() -> None:
    mesh, place = head_mesh(), head(0.5)
    outline_A = np.full(72, 1.2)
    outline_A[:18] = outline_A[54:] = 0.9
    shaped_V3 = shaped_skull(mesh.points, place, outline_A)
    np.testing.assert_array_equal(shaped_V3[mesh.is_face > 0], mesh.points[mesh.is_face > 0])
    turned_S3 = shaped_V3[mesh.is_face == 0] @ place.rotation.T
    length_S, side_S = np.linalg.norm(turned_S3, axis=-1), turned_S3[:, 0] / np.linalg.norm(turned_S3, axis=-1)
    assert length_S[side_S > 0.95].max() < 0.95
    assert length_S[side_S < -0.95].min() > 1.15
    # Behind as on average.
    behind_S = turned_S3[:, 2] / length_S > 0.98
    np.testing.assert_allclose(length_S[behind_S], 1.05, atol=0.02)


@pytest.mark.parametrize("radius", [0.85, 1.25])
@pytest.mark.parametrize("yaw", [0.9, -1.6, 3.0])
def test_a_turned_head_is_whole_and_as_wide_as_it_was(radius: float, yaw: float, alone: Alone) -> None:
    made_HW4 = alone(HeadPiece(head(), portrait(head(), radius)).moved(head(yaw)))
    upper_HW = pixel_centers((SIDE, SIDE))[..., 1] < CENTER_PX[1]
    # The face has no hair before it.
    inside_HW = upper_HW & (radii_from_center() < min(radius, 1.0) - 0.15)
    assert made_HW4[inside_HW, 3].min() > 0.95
    # Of hair and skin, of nothing that is around the head.
    colours = made_HW4[inside_HW, :3]
    assert (colours[:, 1] > 140).all()
    # A face may stand out of little hair.
    assert (made_HW4[upper_HW & (radii_from_center() > max(radius, 1.05) + 0.2), 3] > 0.5).mean() < 0.01


def test_behind_a_head_is_hair_and_no_second_face(alone: Alone) -> None:
    made_HW4 = alone(HeadPiece(head(), portrait(head(), 1.1)).moved(head(np.pi)))
    upper_HW = (pixel_centers((SIDE, SIDE))[..., 1] < CENTER_PX[1] + 10) & (radii_from_center() < 0.9)
    assert np.abs(made_HW4[upper_HW, :3] - HAIR).max(axis=-1).mean() < 25


def test_no_hair_stays_before_a_face_that_turns_to_where_it_was(alone: Alone) -> None:
    """Seen from the side, the face is where hair was in the picture from the front."""
    image_HW4 = portrait(head(), 1.25)
    profile = head(1.5)
    made_HW4 = alone(HeadPiece(head(), image_HW4).moved(profile))
    mesh = head_mesh()
    on_HW, face_HW1 = profile.surface((SIDE, SIDE), mesh.points, mesh.is_face[:, None])
    before_HW = ~cv2.dilate(on_HW.astype(np.uint8), np.ones((7, 7))).astype(bool)
    before_HW &= beside_face(on_HW, face_HW1[..., 0] > 0.5) > 0
    shown = (before_HW & (image_HW4[..., 3] > 0.5)).sum()
    assert shown > 50
    assert (before_HW & (made_HW4[..., 3] > 0.5)).sum() < 0.1 * shown


def test_colours_spread_from_what_is_known() -> None:
    known_HW4 = np.zeros((40, 60, 4), np.float32)
    known_HW4[:, :10] = (200, 0, 0, 1)
    known_HW4[:, 50:] = (0, 0, 200, 1)
    made_HW3 = spread(known_HW4)
    np.testing.assert_allclose(made_HW3[:, :10], np.broadcast_to([200, 0, 0], (40, 10, 3)), atol=1e-3)
    np.testing.assert_allclose(made_HW3.sum(axis=-1), 200, atol=1)
    assert (np.diff(made_HW3[20, 10:50, 2]) > -5).all()
    assert not spread(np.zeros((5, 7, 4), np.float32)).any()


def test_the_nearest_pixel_is_named_by_its_number() -> None:
    on_HW = np.zeros((6, 8), bool)
    on_HW[1, 1] = on_HW[4, 6] = True
    far_HW_px, nearest_HW = nearest(on_HW)
    assert nearest_HW[0, 0] == 1 * 8 + 1
    assert nearest_HW[5, 7] == 4 * 8 + 6
    assert far_HW_px[1, 1] == 0
