"""Eyes of a head that wears a picture: lids that close and open, eyeballs that turn behind them; faces in pictures."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.footage import footage
from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp.eyes import RIMS, eye_centers, openness
from dreamactor_signals.warp.face_points import face_points_px
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_mesh import head_mesh
from dreamactor_signals.warp.head_piece import HeadPiece
from dreamactor_signals.warp.layer import Layer

Alone = Callable[[Layer], np.ndarray]
SIDE, SKULL_PX = 240, 70.0
SKIN, RED = (200.0, 150.0, 120.0), (220.0, 20.0, 20.0)


def head(**readings: float) -> Head:
    units = np.zeros(len(ARKIT_UNITS))
    for name, value in readings.items():
        units[ARKIT_UNITS.index(name)] = value
    return Head(np.array([120.0, 110.0]), SKULL_PX, np.eye(3), 1.0, units)


def eyes_px(place: Head) -> np.ndarray:
    """(2, 2) the middles of the person's right eye and left one."""
    return place.project(eye_centers(head_mesh().points))


def picture(place: Head) -> np.ndarray:
    """(H, W, 4) skin, with a red dot in the middle of each eye."""
    image_HW4 = np.full((SIDE, SIDE, 4), (*SKIN, 1.0), np.float32)
    for x, y in (eyes_px(place) - 0.5).round().astype(int).tolist():
        cv2.circle(image_HW4, (x, y), 2, (*RED, 1.0), -1)
    return image_HW4


def red_at_px(image_HW4: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Red pixels of each half of the picture: how many, and (2, 2) their means."""
    redness_HW = ((SKIN[1] - image_HW4[..., 1]) / (SKIN[1] - RED[1])).clip(0, 1) * (image_HW4[..., 0] > 180)
    places_HW2 = pixel_centers((SIDE, SIDE))
    halves = [redness_HW * half for half in (places_HW2[..., 0] < 120, places_HW2[..., 0] >= 120)]
    means = [(half[..., None] * places_HW2).sum(axis=(0, 1)) / max(half.sum(), 1e-6) for half in halves]
    return np.array([half.sum() for half in halves]), np.array(means)


def test_no_skin_spans_the_lids() -> None:
    mesh = head_mesh()
    for rim, eye_V in zip(RIMS, mesh.eyes, strict=True):
        inside = eye_V[mesh.triangles].all(axis=1)
        assert inside.sum() == len(rim) - 2
        assert not np.isin(mesh.triangles[~inside], rim).all(axis=1).any()
        assert set(mesh.twins[eye_V > 0]) == set(rim)


def test_an_eye_is_the_less_open_the_more_it_blinks() -> None:
    shares = [openness(head(eyeBlinkLeft=blink).units)[1] for blink in np.linspace(0, 1, 21)]
    assert (np.diff(shares) < 0).all()
    assert shares[0] == 1
    assert shares[-1] < 0.05
    assert openness(head(eyeBlinkLeft=1.0).units)[0] == 1


def test_a_blink_covers_one_eye_and_leaves_the_other(alone: Alone) -> None:
    piece = HeadPiece(head(), picture(head()))
    counts, _ = red_at_px(alone(piece.moved(head(eyeBlinkLeft=1.0))))
    before, _ = red_at_px(alone(piece.moved(head())))
    assert counts[0] == pytest.approx(before[0], rel=0.05)
    assert counts[1] < 0.15 * before[1]


def test_eyeballs_stay_while_lids_close_halfway(alone: Alone) -> None:
    piece = HeadPiece(head(), picture(head()))
    _, before_px = red_at_px(alone(piece.moved(head())))
    _, halfway_px = red_at_px(alone(piece.moved(head(eyeBlinkLeft=0.3, eyeBlinkRight=0.3))))
    np.testing.assert_allclose(halfway_px, before_px, atol=1.0)


@pytest.mark.parametrize(
    ("readings", "direction"),
    [
        ({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}, (1, 0)),
        ({"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0}, (-1, 0)),
    ],
)
def test_eyes_look_where_they_are_read_to_look(
    readings: dict[str, float], direction: tuple[int, int], alone: Alone
) -> None:
    """The person's left is the picture's right."""
    piece = HeadPiece(head(), picture(head()))
    _, before_px = red_at_px(alone(piece.moved(head())))
    _, after_px = red_at_px(alone(piece.moved(head(**readings))))
    np.testing.assert_allclose(after_px - before_px, 0.08 * SKULL_PX * np.array([direction] * 2), atol=1.0)


def test_eyes_that_the_reference_keeps_closed_are_drawn_when_they_open(alone: Alone) -> None:
    shut = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    skin_HW4 = np.full((SIDE, SIDE, 4), (*SKIN, 1.0), np.float32)
    piece = HeadPiece(head(**shut), skin_HW4)
    np.testing.assert_allclose(alone(piece.moved(head(**shut))), skin_HW4, atol=1e-3)
    opened_HW4 = alone(piece.moved(head()))
    for x, y in eyes_px(head()).astype(int).tolist():
        assert opened_HW4[y, x, :3].max() < 60


def test_half_closed_eyes_that_do_not_move_are_their_picture(alone: Alone) -> None:
    noise_HW4 = np.random.default_rng(0).uniform(0, 255, (SIDE, SIDE, 4)).astype(np.float32)
    noise_HW4[..., 3] = 1
    for blink in (0.2, 0.5, 0.9):
        still = head(eyeBlinkLeft=blink, eyeLookDownLeft=0.5)
        np.testing.assert_allclose(alone(HeadPiece(still, noise_HW4).moved(still)), noise_HW4, atol=1e-2)


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return cv2.imread(str(footage("astronaut")))[..., ::-1].copy()


def test_a_face_is_found_where_it_is_though_its_box_is_rough(photograph: np.ndarray) -> None:
    rough = replace(head(), face_box_px=np.array([170.0, 60.0, 280.0, 180.0]))
    again = replace(head(), face_box_px=np.array([175.0, 70.0, 275.0, 190.0]))
    points_px, points_again_px = face_points_px(photograph, rough), face_points_px(photograph, again)
    assert points_px is not None
    assert points_again_px is not None
    assert np.linalg.norm(points_px - points_again_px, axis=1).mean() < 1.5
    # Her eyes are dark beside her cheeks, and level.
    right, left, cheek = (points_px[list(part)].mean(axis=0) for part in (RIMS[0], RIMS[1], (205, 425)))
    assert left[0] - right[0] > 30
    assert cheek[1] > right[1] + 20


def test_no_face_is_read_where_none_is_seen(photograph: np.ndarray) -> None:
    assert face_points_px(photograph, head()) is None, "nobody knows where it would be"
    boxed = replace(head(), face_box_px=np.array([170.0, 60.0, 280.0, 180.0]))
    assert face_points_px(np.full_like(photograph, 120), boxed) is None
    away = replace(boxed, rotation=np.diag([-1.0, 1.0, -1.0]))
    assert face_points_px(photograph, away) is None
