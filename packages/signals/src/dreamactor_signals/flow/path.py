"""What a tracker says of a clip, averaged along the picture's own motion: every move is kept and drift is lost.

Legend: T video frames.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from dreamactor_signals.smoothing import smooth

WIDTH_S = 1.0
"""How long clothes are averaged: networks drift within seconds, points followed on a flat part do not."""


def known_runs(steps: Sequence[object | None]) -> Iterator[slice]:
    """Frames between which every step is known."""
    for is_known, group in groupby(range(len(steps)), key=lambda step: steps[step] is not None):
        if is_known:
            members = list(group)
            yield slice(members[0], members[-1] + 2)


def lacking(
    steps: Sequence[np.ndarray | None], shape: tuple[int, ...], confidence: np.ndarray, width: float
) -> np.ndarray:
    """(T, *shape) what a track lacks in every frame, zero where nobody knows.

    Args:
        steps: T - 1 of `shape`: by the picture's motion, what each tracked step lacks; None where nobody knows: nothing
            is averaged across.
        shape: of a step.
        confidence: (T, ...) of the leading axes of `shape`.
        width: of the average, in frames.
    """
    lacks = np.zeros((len(confidence), *shape))
    for run in known_runs(steps):
        known = [step for step in steps[run.start : run.stop - 1] if step is not None]
        path = np.cumsum([np.zeros(shape), *known], axis=0)
        lacks[run] = along(path, np.zeros_like(path), confidence[run], width)
    return lacks


def along(path: np.ndarray, tracked: np.ndarray, confidence: np.ndarray, width: float) -> np.ndarray:
    """(T, ...) what was tracked, averaged.

    Args:
        path: (T, ...) where it has gone since the first frame, by what the picture shows.
        tracked: (T, ...) where it was tracked.
        confidence: (T, ...) of the leading axes of `tracked`.
        width: standard deviation in time, in frames.
    """
    return path + smooth(tracked - path, confidence, width)
