"""A head that wears a picture: what its surface is, and what is seen of it turned and speaking."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_signals.faces.landmarks import SKIN_LANDMARKS
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_mesh import head_mesh, mouth_opening
from dreamactor_signals.warp.head_piece import HeadPiece
from dreamactor_signals.warp.layer import Layer

Alone = Callable[[Layer], np.ndarray]
SIDE, SKULL_PX = 160, 30.0
SKIN, RED = (200.0, 150.0, 120.0), (220.0, 20.0, 20.0)
# Landmarks in the middle of the cheeks.
_PERSONS_LEFT, _PERSONS_RIGHT = 425, 205


def head(yaw: float = 0.0, jaw: float | None = None, **others: object) -> Head:
    rotation = rotation_of_angles(np.array(yaw), np.zeros(()), np.zeros(()))
    units = None if jaw is None else jaw * np.eye(len(ARKIT_UNITS))[ARKIT_UNITS.index("jawOpen")]
    return replace(Head(np.array([80.0, 70.0]), SKULL_PX, rotation, 1.0, units), **others)


def box(chin_px: float) -> np.ndarray:
    """(4,) around a face that ends there."""
    return np.array([50.0, 40.0, 110.0, chin_px])


def landmark(place: Head, number: int) -> np.ndarray:
    """(2,) pixels."""
    return place.project(head_mesh().shaped(place.units)[number] @ place.rotation.T)


def picture(place: Head, *marked: int) -> np.ndarray:
    """(H, W, 4) skin all over the head, with red dots at landmarks."""
    image_HW4 = np.zeros((SIDE, SIDE, 4), np.float32)
    is_head = np.linalg.norm(pixel_centers((SIDE, SIDE)) - place.center_px - (0, 8), axis=-1) < 2 * SKULL_PX
    image_HW4[is_head] = (*SKIN, 1.0)
    for number in marked:
        x, y = (landmark(place, number) - 0.5).round().astype(int).tolist()
        cv2.circle(image_HW4, (x, y), 3, (*RED, 1.0), -1)
    return image_HW4


def redness(image_HW4: np.ndarray, at_px: np.ndarray) -> float:
    """0 where the picture is skin, 1 where it is red."""
    x, y = at_px.astype(int)
    return float((SKIN[1] - image_HW4[y - 1 : y + 2, x - 1 : x + 2, 1].mean()) / (SKIN[1] - RED[1]))


def test_the_surface_is_closed_and_faces_outward() -> None:
    mesh = head_mesh()
    edges = Counter(tuple(sorted(pair)) for corners in _welded(mesh.triangles) for pair in combinations(corners, 2))
    assert set(edges.values()) == {2}
    corners = mesh.points[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = (normals * corners.mean(axis=1)).sum(axis=-1) > 0
    # What is seen through lips and lids is nearly flat.
    assert outward[mesh.twins[mesh.triangles[:, 0]] == mesh.triangles[:, 0]].mean() > 0.99


def _welded(triangles: np.ndarray) -> np.ndarray:
    """Triangles whose mouth's inside shares its vertices with the lips."""
    _, same = np.unique(head_mesh().points.round(9), axis=0, return_inverse=True)
    return np.asarray(same[triangles])


def test_no_skin_spans_the_lips() -> None:
    mesh = head_mesh()
    opened = mesh.shaped(np.eye(len(ARKIT_UNITS))[ARKIT_UNITS.index("jawOpen")])
    assert mouth_opening(opened) > 3 * mouth_opening(mesh.points)
    moved = np.linalg.norm(opened - mesh.points, axis=-1)
    inside = mesh.is_mouth[mesh.triangles].all(axis=1)
    assert inside.sum() == 18
    # What reaches from a lip that stays to one that drops is inside of the mouth.
    differs = np.ptp(moved[mesh.triangles], axis=1)
    assert differs[inside].max() > 0.16
    assert differs[~inside].max() < 0.14


def test_a_head_that_does_not_move_is_its_picture(alone: Alone) -> None:
    noise_HW4 = np.random.default_rng(0).uniform(0, 255, (SIDE, SIDE, 4)).astype(np.float32)
    noise_HW4[..., 3] = 1
    for still in (head(), head(0.9), head(-0.4, jaw=0.3, face_box_px=box(125.0))):
        np.testing.assert_allclose(alone(HeadPiece(still, noise_HW4).moved(still)), noise_HW4, atol=1e-3)


@pytest.mark.parametrize("yaw", [0.3, -0.5])
def test_what_both_show_goes_with_the_surface(yaw: float, alone: Alone) -> None:
    nose = 4
    made_HW4 = alone(HeadPiece(head(), picture(head(), nose)).moved(head(yaw)))
    assert redness(made_HW4, landmark(head(yaw), nose)) > 0.8
    assert redness(made_HW4, landmark(head(), nose)) < 0.2
    # Yaw > 0: the nose points to the picture's right.
    assert (landmark(head(yaw), nose) - landmark(head(), nose))[0] * yaw > 0


def test_a_half_that_the_reference_hides_is_taken_from_the_other(alone: Alone) -> None:
    aside = head(1.2)
    made_HW4 = alone(HeadPiece(aside, picture(aside, _PERSONS_RIGHT)).moved(head()))
    assert redness(made_HW4, landmark(head(), _PERSONS_RIGHT)) > 0.6
    assert redness(made_HW4, landmark(head(), _PERSONS_LEFT)) > 0.6
    shown = alone(HeadPiece(head(), picture(head(), _PERSONS_RIGHT)).moved(head(0.3)))
    assert redness(shown, landmark(head(0.3), _PERSONS_LEFT)) < 0.2


def test_a_profile_does_not_stay_beside_the_turned_face(alone: Alone) -> None:
    """A nose that stands out beyond the average face."""
    aside = head(1.2)
    image_HW4 = picture(aside)
    x, y = landmark(aside, 4) + np.array([5, 0])
    cv2.circle(image_HW4, (int(x), int(y)), 3, (*RED, 1.0), -1)
    made_HW4 = alone(HeadPiece(aside, image_HW4).moved(head()))
    beyond = np.abs(pixel_centers((SIDE, SIDE))[..., 0] - 80) > 1.2 * SKULL_PX
    assert not (beyond & (made_HW4[..., 1] < 60) & (made_HW4[..., 3] > 0.5)).any()


def test_a_jaw_that_drops_opens_a_dark_mouth_and_takes_the_chin_along(alone: Alone) -> None:
    chin = 152
    closed, speaking = head(jaw=0.0), head(jaw=0.8)
    piece = HeadPiece(closed, picture(closed, chin))
    made_HW4 = alone(piece.moved(speaking))
    lips_px = (landmark(speaking, 13) + landmark(speaking, 14)) / 2
    x, y = lips_px.astype(int)
    assert made_HW4[y, x, :3].max() < 100
    assert alone(piece.moved(closed))[y, x, 0] > 190
    assert landmark(speaking, chin)[1] - landmark(closed, chin)[1] > 2
    assert redness(made_HW4, landmark(speaking, chin)) > 0.6


def test_an_expression_that_one_side_does_not_know_moves_nothing(alone: Alone) -> None:
    closed = head(jaw=0.0)
    made_HW4 = alone(HeadPiece(closed, picture(closed)).moved(head()))
    np.testing.assert_allclose(made_HW4, picture(closed), atol=1e-3)


def test_the_surface_is_as_long_as_the_face(alone: Alone) -> None:
    """Below a short face lies a red collar: it does not come up when the head nods back."""
    lowest_px = max(landmark(head(), number)[1] for number in range(468))
    chin_px = 70 + 0.9 * (lowest_px - 70)
    image_HW4 = picture(head())
    image_HW4[int(chin_px) + 1 :, :, :3] = RED
    back = rotation_of_angles(np.zeros(()), np.array(-0.35), np.zeros(()))

    def red_share(place: Head) -> float:
        made_HW4 = alone(HeadPiece(place, image_HW4).moved(replace(place, rotation=back)))
        on_HW, _ = replace(head(), rotation=back).surface((SIDE, SIDE), head_mesh().points, head_mesh().points)
        return float((made_HW4[..., 1] < 60)[on_HW].mean())

    assert red_share(head(face_box_px=box(chin_px))) < 0.5 * red_share(head())


def test_the_surface_lies_where_the_picture_shows_the_face(alone: Alone) -> None:
    """A nose that is four pixels lower than the average one turns with the surface there."""
    lower = np.array([0.0, 4.0])
    points_px = np.stack([landmark(head(), number) for number in range(SKIN_LANDMARKS)]) + lower
    image_HW4 = picture(head())
    x, y = (landmark(head(), 4) + lower - 0.5).round().astype(int).tolist()
    cv2.circle(image_HW4, (x, y), 2, (*RED, 1.0), -1)
    turned = head(0.3)
    made_HW4 = alone(HeadPiece(head(), image_HW4, points_px).moved(turned))
    assert redness(made_HW4, landmark(turned, 4) + lower) > 0.8
    np.testing.assert_allclose(alone(HeadPiece(head(), image_HW4, points_px).moved(head())), image_HW4, atol=1e-3)


def test_a_face_that_is_turned_down_is_the_heads_all_the_same() -> None:
    down = rotation_of_angles(np.array(0.6), np.array(-0.5), np.zeros(()))
    bowed = replace(head(), rotation=down)
    chin_px = landmark(bowed, 152)
    inward = (bowed.center_px - chin_px) / np.linalg.norm(bowed.center_px - chin_px)
    x, y = (chin_px + 3 * inward).astype(int).tolist()
    distance_HW = bowed.distance(pixel_centers((SIDE, SIDE)))
    assert distance_HW[y, x] == 0
    assert distance_HW[5, 5] > 1
