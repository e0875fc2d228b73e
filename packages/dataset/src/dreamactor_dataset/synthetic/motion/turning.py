"""Whole bodies that turn on the spot, step by step.

Legend: T frames (25 a second).
"""

import numpy as np

from dreamactor_dataset.synthetic.motion.performance import SIDES, Performance
from dreamactor_dataset.synthetic.motion.rotations import about

_FRAMES_A_TURN = (45, 100)
_STEP_RAD = np.pi / 3
_LIFT_RAD = 0.45


def turn_round(performance: Performance, random: np.random.Generator) -> None:
    """Turn all the way round, from any side, either way."""
    frames = np.arange(performance.frame_count)
    way = random.choice((-1.0, 1.0))
    turned = way * 2 * np.pi * frames / random.uniform(*_FRAMES_A_TURN)
    performance.turn("root", about(1, random.uniform(-np.pi, np.pi) + turned))
    phase = np.pi * np.abs(turned) / _STEP_RAD
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        lift = _LIFT_RAD * np.clip(sign * np.sin(phase), 0, 1)
        performance.turn(f"{side}_hip", about(0, -lift))
        performance.turn(f"{side}_knee", about(0, 1.8 * lift))
