"""A recording as pictures for the contact sheet: its waveform around each frame, the frame in the middle."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from dreamactor_signals.speech.recording import RATE_HZ

_WIDTH, _HEIGHT = 256, 192
_SHOWN_S = 1.2
_PAPER, _INK, _NOW = (24, 24, 24), (120, 190, 230), (230, 90, 70)
# The loudest of a window reaches this share of the half height; silence is not blown up to it.
_FILL, _LEAST_PEAK = 0.9, 0.02


def waveform_pictures(samples: np.ndarray, fps: Fraction, frames: Sequence[int]) -> list[np.ndarray]:
    """(H, W, 3) uint8 for each frame, of samples (S,) at 16 kHz."""
    peak = max(float(np.abs(samples).max()), _LEAST_PEAK)
    return [_picture(samples / peak, (frame + 0.5) / float(fps)) for frame in frames]


def _picture(samples: np.ndarray, middle_s: float) -> np.ndarray:
    edges = np.round((middle_s + np.linspace(-0.5, 0.5, _WIDTH + 1) * _SHOWN_S) * RATE_HZ).astype(int)
    edges = edges.clip(0, len(samples))
    image = np.full((_HEIGHT, _WIDTH, 3), _PAPER, np.uint8)
    middle = _HEIGHT // 2
    for column, (start, stop) in enumerate(pairwise(edges.tolist())):
        part = samples[start:stop]
        low, high = (float(part.min()), float(part.max())) if len(part) else (0.0, 0.0)
        top, bottom = (round(middle * (1 - _FILL * level)) for level in (high, low))
        image[max(0, top) : bottom + 1, column] = _INK
    image[:, _WIDTH // 2] = _NOW
    return image
