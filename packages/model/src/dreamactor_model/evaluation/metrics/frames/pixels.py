"""PSNR and SSIM of each frame, by one stated protocol.

Legend: T frames, H W rows and columns; 3 colours.
"""

import numpy as np

PERFECT_DB = 100.0
"""What a frame that equals its truth counts in a mean."""
PSNR_PROTOCOL = (
    "RGB uint8, data range 255, mean squared error over all pixels and channels of a frame, mean over frames; a frame "
    f"that equals its truth counts {PERFECT_DB:g} dB"
)
SSIM_PROTOCOL = (
    "RGB uint8, data range 255, Gaussian window 11x11 sigma 1.5, K1 0.01, K2 0.03, population covariance, "
    "5-pixel border left out, mean over channels (scikit-image with gaussian_weights=True, sigma=1.5)"
)
_LARGEST = 255.0
_RADIUS, _SIGMA = 5, 1.5
_C1, _C2 = (0.01 * _LARGEST) ** 2, (0.03 * _LARGEST) ** 2


def psnr_db(frames_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
    """(T,) peak signal-to-noise ratio in dB; infinite where a frame equals its truth."""
    import cv2

    pairs = zip(frames_THWC, truth_THWC, strict=True)
    # A sum of whole numbers: exact, and without a copy of the frames.
    error_T = np.array([cv2.norm(frame, truth, cv2.NORM_L2SQR) for frame, truth in pairs]) / frames_THWC[0].size
    with np.errstate(divide="ignore"):
        ratio_db: np.ndarray = 10 * np.log10(_LARGEST**2 / error_T)
    return ratio_db


def bounded_psnr_db(frames_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
    """As `psnr_db`, but finite, so that it has a mean."""
    return np.minimum(psnr_db(frames_THWC, truth_THWC), PERFECT_DB)


def ssim(frames_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
    """(T,) structural similarity, at most 1.

    Raises:
        ValueError: frames smaller than the 11x11 window.
    """
    if min(frames_THWC.shape[1:3]) <= 2 * _RADIUS:
        raise ValueError(f"frames of {frames_THWC.shape[1:3]} are smaller than the window")
    pairs = zip(frames_THWC, truth_THWC, strict=True)
    return np.array([_frame_ssim(frame.astype(np.float64), truth.astype(np.float64)) for frame, truth in pairs])


def _frame_ssim(x_HWC: np.ndarray, y_HWC: np.ndarray) -> float:
    mean_x, mean_y = _blur(x_HWC), _blur(y_HWC)
    variance_x = _blur(x_HWC * x_HWC) - mean_x * mean_x
    variance_y = _blur(y_HWC * y_HWC) - mean_y * mean_y
    covariance = _blur(x_HWC * y_HWC) - mean_x * mean_y
    numerator = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    denominator = (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    inside = (numerator / denominator)[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]
    return float(inside.mean())


def _blur(image_HWC: np.ndarray) -> np.ndarray:
    """Weighted local mean. The border is cut off afterwards, so its extension does not matter."""
    import cv2

    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    kernel = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    kernel /= kernel.sum()
    blurred: np.ndarray = cv2.sepFilter2D(image_HWC, cv2.CV_64F, kernel, kernel)
    return blurred
