"""Which frames of a video are taken, so that they come at an even rate within the limits.

Legend: T frames of the video, N frames taken.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from dreamactor_core.video import VideoInfo

# Rates that cameras and editors use; an uneven video is meant to have the nearest.
_USUAL = [
    Fraction(12), Fraction(15), Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30),
    Fraction(48), Fraction(50), Fraction(60000, 1001), Fraction(60), Fraction(120),
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Timeline:
    """An even rate, and the frames that it takes.

    Attributes:
        fps: exact.
        frames: (N,) int64 indices into the video, ascending; one may stand twice where the video paused.
        times_s: (N,) when each is shown in the video.
    """

    fps: Fraction
    frames: np.ndarray
    times_s: np.ndarray


def even_timeline(info: VideoInfo, times_s: np.ndarray | None, max_fps: float) -> Timeline:
    """The video's own frames where its rate is even, every second, third ... where it is too fast.

    An uneven video is put on an even grid: each moment shows the frame that is nearest in time.

    Args:
        info: of the video.
        times_s: (T,) when its frames are shown, ascending; None where the rate is even.
        max_fps: rates above it are divided by a whole number.
    """
    fps = info.fps if times_s is None else _nominal(times_s)
    step = max(1, -(-fps // Fraction(max_fps).limit_denominator(1001)))
    if times_s is None:
        frames = np.arange(0, info.frame_count, step)
        return Timeline(fps / step, frames, frames / float(fps))
    rate = float(fps / step)
    grid_s = times_s[0] + np.arange(int((times_s[-1] - times_s[0]) * rate + 0.5) + 1) / rate
    after = np.searchsorted(times_s, grid_s).clip(1, len(times_s) - 1)
    frames = after - (grid_s - times_s[after - 1] < times_s[after] - grid_s)
    return Timeline(fps / step, frames, grid_s)


def _nominal(times_s: np.ndarray) -> Fraction:
    """The rate that an uneven video was meant to have."""
    interval_s = float(np.median(np.diff(times_s)))
    return min(_USUAL, key=lambda rate: abs(float(rate) * interval_s - 1))
