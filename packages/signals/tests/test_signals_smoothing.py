"""Smoothing over time: zero phase, weights, gaps."""

import numpy as np
from dreamactor_signals.smoothing import fill_gaps, smooth, smooth_rotations
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
