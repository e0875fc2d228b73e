"""Windows of the picture: what is worked on there is what a whole picture would show."""

from dataclasses import replace

import numpy as np
import pytest
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp import flat, head_piece
from dreamactor_signals.warp.flat import Flat, FlatPiece
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_piece import HeadPiece
from dreamactor_signals.warp.layer import STEP_PX, Layer, Window, extent

HEIGHT, WIDTH = 150, 200
_WHOLE = Window(0, 0, HEIGHT, WIDTH)


def noise(share_HW: np.ndarray) -> np.ndarray:
    """(H, W, 4) something everywhere in a mask."""
    rgb_HW3 = np.random.default_rng(0).uniform(20, 235, (HEIGHT, WIDTH, 3))
    share_HW1 = share_HW[..., None].astype(np.float32)
    return np.concatenate([rgb_HW3 * share_HW1, share_HW1], axis=-1).astype(np.float32)


def limb(angle_rad: float, length_px: float, at_px: tuple[float, float]) -> Flat:
    direction = np.array([np.cos(angle_rad), np.sin(angle_rad)])
    across_px = 10 * np.array([-direction[1], direction[0]])
    return Flat(np.array(at_px), length_px * direction, across_px, 10.0, 0.0, 2.0)


def head(yaw: float, center_px: tuple[float, float], skull_px: float, roll: float = 0.0) -> Head:
    rotation = rotation_of_angles(np.array(yaw), np.zeros(()), np.array(roll))
    return Head(np.array(center_px), skull_px, rotation, 2.0)


def over(layer: Layer) -> np.ndarray:
    canvas_HW4 = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    layer.lay_over(canvas_HW4)
    return canvas_HW4


_SLIDES = np.array([[0.1, 0.2, -0.1, 0.05, 0.1, -0.1], [-0.2, 0.1, 0.15, 0.1, -0.05, 0.05]])


@pytest.mark.parametrize("motion_2K", [None, _SLIDES], ids=["stiff", "slides"])
@pytest.mark.parametrize(
    "now",
    [
        limb(0.3, 50, (60, 60)),
        limb(2.0, 90, (120, 40)),
        limb(-1.0, 30, (10, 140)),
        # Partly, and altogether, out of the picture.
        limb(0.0, 60, (180, 75)),
        limb(0.0, 60, (400, 75)),
    ],
)
@pytest.mark.parametrize("at_px", [(70.0, 70.0), (2.0, 30.0)], ids=["inside", "cut off by the edge"])
def test_a_limb_is_nowhere_but_in_its_window(
    now: Flat, motion_2K: np.ndarray | None, at_px: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, moved = limb(0.3, 50, at_px), replace(now, motion_2K=motion_2K)
    piece = FlatPiece(place, noise(place.distance(pixel_centers((HEIGHT, WIDTH))) < 1))
    layer = piece.moved(moved)
    monkeypatch.setattr(flat.FlatPiece, "_window", lambda *_: _WHOLE)
    np.testing.assert_allclose(over(layer), over(piece.moved(moved)), atol=1e-3)


def test_windows_are_small() -> None:
    place = limb(0.0, 30, (80, 75))
    piece = FlatPiece(place, noise(place.distance(pixel_centers((HEIGHT, WIDTH))) < 1))
    window = piece.moved(limb(0.0, 30, (120, 40))).window
    # Of 50 by 20 pixels.
    assert window.shape[0] <= 7 * STEP_PX
    assert window.shape[1] <= 9 * STEP_PX


@pytest.mark.parametrize(
    "now",
    [
        head(0.0, (90, 70), 25),
        head(0.9, (90, 70), 25, roll=0.5),
        head(-1.5, (30, 120), 40),
        head(2.8, (195, 60), 15),
        head(0.3, (900, 60), 15),
    ],
)
def test_a_head_is_nowhere_but_in_its_window(now: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    place = head(0.2, (100, 70), 25)
    near_HW = np.linalg.norm(pixel_centers((HEIGHT, WIDTH)) - place.center_px, axis=-1) < 1.3 * place.skull_px
    piece = HeadPiece(place, noise(near_HW))
    layer = piece.moved(now)
    monkeypatch.setattr(head_piece.HeadPiece, "_window", lambda *_: _WHOLE)
    # Colours that nobody knows spread from what is around: about alike, but not to the last digit.
    differs_HW = np.abs(over(layer) - over(piece.moved(now))).max(axis=-1) > 1
    assert differs_HW.mean() < 0.001


def test_windows_hold_all_points_that_the_picture_has() -> None:
    window = Window.around(np.array([[17.0, 33.0], [40.0, 500.0]]), 0, (HEIGHT, WIDTH))
    assert window == Window(32, 16, HEIGHT, 48)
    np.testing.assert_array_equal(window.centers()[0, 0], (16.5, 32.5))
    assert Window.around(np.array([[300.0, 20.0], [350.0, 40.0]]), 10, (HEIGHT, WIDTH)).is_empty
    assert Window.around(np.zeros((0, 2)), 10, (HEIGHT, WIDTH)).is_empty


def test_what_reaches_the_edge_goes_on_beyond_it() -> None:
    share_HW = np.zeros((HEIGHT, WIDTH))
    share_HW[40:, 60:80] = 1
    np.testing.assert_array_equal(extent(share_HW, beyond=7.0), [[59, 39], [81, HEIGHT + 7]])


def test_layers_are_laid_over_one_another() -> None:
    canvas_HW4 = over(Layer(Window(0, 0, 2, 2), np.full((2, 2, 4), 0.5, np.float32)))
    Layer(Window(1, 1, 3, 3), np.full((2, 2, 4), 0.25, np.float32)).lay_over(canvas_HW4)
    np.testing.assert_allclose(canvas_HW4[[0, 1, 2, 3], [0, 1, 2, 3], 3], [0.5, 0.625, 0.25, 0])
