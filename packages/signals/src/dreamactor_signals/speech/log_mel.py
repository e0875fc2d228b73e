"""The embedded speech features: a log-mel spectrogram around each video frame, at a steady loudness.

Legend: T video frames, S samples, K columns of context, M mel bands.
"""

from fractions import Fraction

import numpy as np

from dreamactor_signals.speech.recording import RATE_HZ

BANDS = 40
# Columns every 20 ms from 80 ms before the middle of the video frame to 80 ms after: lips move before they sound.
CONTEXT_S = np.arange(-4, 5) * 0.02
_WINDOW = 400
_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
# Energies below this, at the steady loudness, are no speech: a floor, so that silence is finite and flat.
_FLOOR = 1e-6
_LOUDNESS = 0.1
_COLUMNS_AT_ONCE = 4096


def log_mel(samples: np.ndarray, fps: Fraction, silent: np.ndarray) -> np.ndarray:
    """(T, K * M) float32 features, about -1 (silence) to 1.

    Args:
        samples: (S,) at 16 kHz.
        fps: of the video.
        silent: (T,) frames that do not count for the loudness.
    """
    steady = samples * _gain(samples, fps, silent)
    middle_s = (np.arange(len(silent)) + 0.5) / float(fps)
    at = np.round((middle_s[:, None] + CONTEXT_S) * RATE_HZ).astype(np.int64).ravel()
    columns = [_columns(steady, at[i : i + _COLUMNS_AT_ONCE]) for i in range(0, len(at), _COLUMNS_AT_ONCE)]
    energies = np.concatenate(columns).reshape(len(silent), -1)
    decades = np.log10(np.maximum(energies, _FLOOR))
    return (2 * (decades - np.log10(_FLOOR)) / -np.log10(_FLOOR) - 1).astype(np.float32)


def _gain(samples: np.ndarray, fps: Fraction, silent: np.ndarray) -> float:
    """What brings the spoken part to one loudness; 1 where nothing is spoken."""
    frame = np.minimum(np.arange(len(samples)) * float(fps) // RATE_HZ, len(silent) - 1).astype(np.int64)
    spoken = samples[~silent[frame]]
    return _LOUDNESS / float(np.sqrt(np.mean(spoken.astype(np.float64) ** 2))) if len(spoken) else 1.0


def _columns(samples: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(N, M) band energies of windows around the places `at`; beyond the recording is silence."""
    index = at[:, None] + np.arange(_WINDOW) - _WINDOW // 2
    inside = (index >= 0) & (index < len(samples))
    windows = np.where(inside, samples[np.clip(index, 0, len(samples) - 1)], 0) * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2 / _WINDOW
    return power @ mel_filters().T


def mel_filters() -> np.ndarray:
    """(M, FFT bins) triangles of equal height, equally spaced in mel."""
    edges_mel = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), BANDS + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
    bins_hz = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    return np.clip(np.minimum(rising, falling), 0, None)


def _mel(frequency_hz: float) -> float:
    return 2595 * float(np.log10(1 + frequency_hz / 700))
