"""Smoothing over time: zero phase, weights, gaps."""

import numpy as np
from dreamactor_signals.smoothing import fill_gaps, smooth, smooth_flicker, smooth_rotations
from hypothesis import given, settings
from hypothesis import strategies as st


def test_short_gaps_are_bridged_by_lines_and_long_ones_stay_missing() -> None:
    values = np.array([0.0, 9, 9, 3, 9, 9, 9, 7])
    confidence = np.array([1.0, 0, 0, 1, 0, 0, 0, 1])
    filled, trust = fill_gaps(values, confidence, max_gap=2)
    np.testing.assert_allclose(filled, [0, 1, 2, 3, 0, 0, 0, 7])
    np.testing.assert_allclose(trust, [1, 0.5, 0.5, 1, 0, 0, 0, 1])


def test_nothing_is_added_before_the_first_or_after_the_last_sighting() -> None:
    filled, trust = fill_gaps(np.full((5, 2), 4.0), np.array([0, 0, 1.0, 0, 0]), max_gap=9)
    np.testing.assert_allclose(trust, [0, 0, 1, 0, 0])
    assert filled[[0, 1, 3, 4]].max() == 0


def test_nothing_seen_gives_zeros() -> None:
    filled, trust = fill_gaps(np.ones((4, 3)), np.zeros(4), max_gap=3)
    assert filled.max() == trust.max() == 0


@settings(deadline=None)
@given(st.floats(0.3, 5), st.integers(20, 60))
def test_smoothing_has_zero_phase(sigma: float, count: int) -> None:
    rng = np.random.default_rng(count)
    values, weights = rng.normal(size=(count, 2)), rng.uniform(0.1, 1, count)
    forward = smooth(values, weights, sigma)
    backward = smooth(values[::-1], weights[::-1], sigma)[::-1]
    np.testing.assert_allclose(forward, backward, atol=1e-9)


def test_smoothing_keeps_constants_up_to_the_edges_and_ignores_weightless_frames() -> None:
    values, weights = np.full(30, 5.0), np.ones(30)
    values[10:14], weights[10:14] = 1e6, 0
    smoothed = smooth(values, weights, 2.0)
    np.testing.assert_allclose(smoothed[weights > 0], 5.0)


def test_a_pulse_keeps_its_place_and_its_area() -> None:
    pulse = np.zeros(41)
    pulse[20] = 1
    smoothed = smooth(pulse, np.ones(41), 2.0)
    assert smoothed.argmax() == 20
    assert abs(smoothed.sum() - 1) < 1e-3
    assert smoothed[20] < 0.25


def test_smoothed_rotations_are_rotations_and_less_shaky() -> None:
    angles = np.random.default_rng(0).normal(scale=0.2, size=60)
    c, s = np.cos(angles), np.sin(angles)
    zeros, ones = np.zeros(60), np.ones(60)
    rotations = np.stack([c, zeros, s, zeros, ones, zeros, -s, zeros, c], axis=1).reshape(60, 3, 3)
    steady = smooth_rotations(rotations, ones, 3.0)
    np.testing.assert_allclose(steady @ steady.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (60, 3, 3)), atol=1e-9)
    assert np.arctan2(steady[:, 0, 2], steady[:, 0, 0]).std() < 0.5 * angles.std()


def _flickering(count: int = 120, noise: float = 0.01) -> np.ndarray:
    return 0.1 + np.random.default_rng(3).normal(scale=noise, size=(count, 2))


def test_flicker_goes_and_a_blink_of_three_frames_keeps_its_depth() -> None:
    values = _flickering()
    values[60:63, 0] += [0.4, 0.8, 0.4]
    steady = smooth_flicker(values, np.ones(120), 1.8, 0.02)
    quiet = np.r_[5:50, 70:115]
    assert np.diff(steady[quiet], 2, axis=0).std() < 0.4 * np.diff(values[quiet], 2, axis=0).std()
    assert steady[61, 0] - 0.1 > 0.97 * (values[61, 0] - 0.1)
    assert smooth(values, np.ones(120), 1.8)[61, 0] < 0.6
    assert np.abs(steady[[60, 62], 0] - values[[60, 62], 0]).max() < 0.03


def test_lively_channels_are_not_taken_for_noise() -> None:
    talking = 0.4 + 0.3 * np.sin(np.arange(90) * 1.4)[:, None]
    np.testing.assert_allclose(smooth_flicker(talking, np.ones(90), 1.8, 0.02), talking, atol=0.02)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.5, 4), st.integers(3, 50))
def test_removing_flicker_has_zero_phase_and_stays_within_the_values(sigma: float, count: int) -> None:
    values, weights = np.random.default_rng(count).random((count, 3)), np.ones(count)
    weights[count // 2] = 0
    forward = smooth_flicker(values, weights, sigma, 0.02)
    np.testing.assert_allclose(forward, smooth_flicker(values[::-1], weights[::-1], sigma, 0.02)[::-1], atol=1e-9)
    assert values.min() <= forward.min() <= forward.max() <= values.max()
    np.testing.assert_array_equal(forward[count // 2], values[count // 2])


def test_clips_too_short_to_flicker_stay_as_they_are() -> None:
    values = np.array([[0.2], [0.9]])
    np.testing.assert_array_equal(smooth_flicker(values, np.ones(2), 2.0, 0.02), values)
