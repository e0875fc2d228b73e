"""PSNR and SSIM against scikit-image; the bootstrap against what it must give."""

import numpy as np
import pytest
from dreamactor_model.evaluation.confidence import bootstrap_mean
from dreamactor_model.evaluation.metrics.frames.pixels import psnr_db, ssim
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    smooth = np.cumsum(random.normal(0, 3, (3, 48, 64, 3)), axis=2)
    truth = np.clip(128 + smooth, 0, 255).astype(np.uint8)
    made = np.clip(truth + random.normal(0, 20, truth.shape), 0, 255).astype(np.uint8)
    return made, truth


def test_ssim_agrees_with_scikit_image(pair):
    made, truth = pair
    theirs = [
        structural_similarity(
            a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1
        )
        for a, b in zip(made, truth, strict=True)
    ]
    assert ssim(made, truth) == pytest.approx(theirs, abs=1e-6)
    assert 0.1 < ssim(made, truth).mean() < 0.9


def test_psnr_agrees_with_scikit_image(pair):
    made, truth = pair
    theirs = [peak_signal_noise_ratio(b, a, data_range=255) for a, b in zip(made, truth, strict=True)]
    assert psnr_db(made, truth) == pytest.approx(theirs, abs=1e-9)


def test_equal_frames_are_perfect(pair):
    _, truth = pair
    assert ssim(truth, truth) == pytest.approx(np.ones(3))
    assert np.isinf(psnr_db(truth, truth)).all()


def test_frames_smaller_than_the_window_are_refused():
    with pytest.raises(ValueError, match="smaller than the window"):
        ssim(np.zeros((1, 10, 20, 3), np.uint8), np.zeros((1, 10, 20, 3), np.uint8))


def test_the_interval_holds_the_mean_and_narrows_with_more_clips():
    random = np.random.default_rng(1)
    few, many = random.normal(20, 2, 8), random.normal(20, 2, 512)
    narrow, wide = (
        bootstrap_mean({str(clip): value for clip, value in enumerate(values)}, resamples=2000, seed=0)
        for values in (many, few)
    )
    assert wide.low < wide.value < wide.high
    # 1.96 standard errors on each side
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * many.std() / np.sqrt(512), rel=0.1)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert bootstrap_mean({"only": 3.0}, resamples=100, seed=0).low == 3.0
