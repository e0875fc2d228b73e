"""Curves over time: smooth random wander, and moves between held targets.

Legend: T frames, D dimensions.
"""

import numpy as np


def wander(random: np.random.Generator, frame_count: int, period: float, spread: float) -> np.ndarray:
    """(T,) smooth noise around zero: sines of random phase, `period` in frames, `spread` the standard deviation."""
    time = np.arange(frame_count)
    total = np.zeros(frame_count)
    for share in (1.0, 1.7, 2.9):
        phase = random.uniform(0, 2 * np.pi)
        total += np.sin(2 * np.pi * share * time / (period * random.uniform(0.85, 1.15)) + phase) / share
    # Sines have half their squared amplitude as variance.
    return spread * total / np.sqrt((1 + 1 / 1.7**2 + 1 / 2.9**2) / 2)


def moves(
    random: np.random.Generator, targets: np.ndarray, frame_count: int, travel: tuple[int, int], hold: tuple[int, int]
) -> np.ndarray:
    """(T, D) from target to target (K, D) in order, over and over, each move smooth, each target held for a while.

    Args:
        travel, hold: least and most frames of a move and of a rest.
    """
    curve = np.empty((frame_count, targets.shape[1]))
    here, frame, number = targets[0], 0, 0
    # Start somewhere inside the first rest.
    rest = int(random.integers(0, hold[1] + 1))
    while frame < frame_count:
        stay = min(rest, frame_count - frame)
        curve[frame : frame + stay] = here
        frame += stay
        number += 1
        there = targets[number % len(targets)]
        length = int(random.integers(travel[0], travel[1] + 1))
        shares = _ease(np.arange(1, length + 1) / length)[: frame_count - frame, None]
        curve[frame : frame + len(shares)] = here + shares * (there - here)
        frame += len(shares)
        here, rest = there, int(random.integers(hold[0], hold[1] + 1))
    return curve


def _ease(share: np.ndarray) -> np.ndarray:
    """Least jerk: speed and acceleration start and end at zero."""
    return share**3 * (10 - 15 * share + 6 * share**2)


def bump(frame_count: int, at: float, rise: float, fall: float) -> np.ndarray:
    """(T,) one smooth rise to 1 at a frame and back."""
    distance = np.arange(frame_count) - at
    side = np.where(distance < 0, -distance / rise, distance / fall)
    return np.where(side < 1, 0.5 + 0.5 * np.cos(np.pi * np.clip(side, 0, 1)), 0.0)
