"""Flicker, drift and joins of videos that were made to have so much of them and no more."""

import cv2
import numpy as np
import pytest
from dreamactor_model.evaluation.metrics.time.drift import colour_drift, join_jump
from dreamactor_model.evaluation.metrics.time.flicker import flicker


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    rough = np.random.default_rng(0).integers(60, 190, (12, 16, 3)).astype(np.uint8)
    return cv2.resize(rough, (160, 120), interpolation=cv2.INTER_CUBIC)


def _lighter(frames: np.ndarray, by: np.ndarray) -> np.ndarray:
    return np.clip(frames + by[:, None, None, None], 0, 255).astype(np.uint8)


def test_what_stands_still_does_not_flicker(picture: np.ndarray) -> None:
    assert flicker(np.stack([picture] * 4)) == pytest.approx(0, abs=0.01)
    assert flicker(picture[None]) is None


def test_movement_is_no_flicker(picture: np.ndarray) -> None:
    moving = np.stack([np.roll(picture, 2 * frame, axis=1)[:, 20:-20] for frame in range(5)])
    unexplained = np.abs(moving[1:].astype(float) - moving[:-1]).mean()
    found = flicker(moving)
    assert found is not None
    assert found < 0.2 * unexplained


def test_flicker_is_found_by_its_strength(picture: np.ndarray) -> None:
    still = np.stack([picture] * 6)
    light = np.array([0, 12, 0, 12, 0, 12])
    assert flicker(_lighter(still, light)) == pytest.approx(12, rel=0.15)
    noise = np.random.default_rng(1).normal(0, 1, still.shape)
    weak, strong = (flicker(np.clip(still + level * noise, 0, 255).astype(np.uint8)) for level in (4, 16))
    assert weak is not None
    assert strong is not None
    assert 1 < weak < strong / 2


def test_drift_is_how_far_the_colours_went(picture: np.ndarray) -> None:
    still = np.stack([picture] * 40)
    ramp = np.linspace(0, 39, 40)
    drifting = _lighter(still, ramp)
    # Means of the first and the last ten frames are thirty apart.
    assert colour_drift(drifting, None, fps=10) == pytest.approx(30, abs=0.5)
    assert colour_drift(drifting, None, fps=25) == pytest.approx(20, abs=0.5), (
        "halves of a clip shorter than two seconds"
    )
    assert colour_drift(drifting, drifting, fps=10) == 0
    assert colour_drift(still, drifting, fps=10) == 0, "what stands still has not drifted"
    assert colour_drift(_lighter(still, 2 * ramp), drifting, fps=10) == pytest.approx(30, abs=0.5)
    assert colour_drift(drifting, _lighter(still, -ramp), fps=10) == pytest.approx(30, abs=0.5)
    assert colour_drift(still[:1], None, fps=10) is None


def test_drift_of_one_colour_is_shared_by_three(picture: np.ndarray) -> None:
    drifting = np.stack([picture] * 20)
    drifting[10:, :, :, 0] += 15
    assert colour_drift(drifting, None, fps=10) == pytest.approx(5)


def test_a_join_shows_by_what_it_jumps(picture: np.ndarray) -> None:
    frames = np.stack([picture] * 12)
    assert join_jump(frames, (0, 6)) == 0
    steady = _lighter(frames, np.arange(12))
    assert join_jump(steady, (0, 6)) == pytest.approx(0), "as much as everywhere"
    jumping = _lighter(frames, np.arange(12) + 9 * (np.arange(12) >= 6))
    assert join_jump(jumping, (0, 6)) == pytest.approx(9)
    assert join_jump(jumping, (0, 3)) == pytest.approx(0)
    assert join_jump(jumping, (0, 3, 6)) == pytest.approx(4.5)


@pytest.mark.parametrize("starts", [(), (0,), (0, 12), (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)])
def test_without_a_join_inside_there_is_nothing_to_judge(picture: np.ndarray, starts: tuple[int, ...]) -> None:
    assert join_jump(np.stack([picture] * 12), starts) is None
