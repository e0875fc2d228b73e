"""The motion of a planned clip: captured or made from curves, with a face and, where somebody speaks, a voice."""

import numpy as np

from dreamactor_dataset.synthetic.motion import face, gestures, mocap, speaking
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rotations import about
from dreamactor_dataset.synthetic.motion.turning import turn_round
from dreamactor_dataset.synthetic.motion.variation import vary
from dreamactor_dataset.synthetic.plan import ClipPlan

# Widest turns of the head (yaw, pitch, roll).
_CALM_TURN_RAD = (0.35, 0.16, 0.10)
_WIDE_TURN_RAD = (0.95, 0.35, 0.22)


def make_performance(plan: ClipPlan, random: np.random.Generator, frame_count: int, fps: float) -> Performance:
    """The motion of a planned clip.

    Raises:
        InputError: pybullet's motions or espeak-ng are not installed.
    """
    if plan.captured is not None:
        performance = _captured(plan.captured, random, frame_count, fps)
    else:
        performance = Performance(frame_count)
        gestures.sway(performance, random, 1.0)
        liveliness = {"gesture": 0.9, "speech": 0.35, "expression": 0.1}[plan.category]
        gestures.gesticulate(performance, random, liveliness)
        wide = plan.category == "expression" or random.random() < 0.3
        gestures.turn_head(performance, random, *(_WIDE_TURN_RAD if wide else _CALM_TURN_RAD))
        if plan.turns:
            turn_round(performance, random)
        else:
            performance.turn("root", about(1, random.normal(0, 0.18)))
    _animate_face(plan, performance, random)
    return performance


def _captured(name: str, random: np.random.Generator, frame_count: int, fps: float) -> Performance:
    pace = float(random.uniform(0.8, 1.15))
    performance = mocap.perform(name, frame_count, fps / pace, start_s=float(random.uniform(0, 4)))
    vary(performance, random)
    performance.turn("root", about(1, random.uniform(-0.9, 0.9)))
    _turn_path(performance, float(random.uniform(-0.9, 0.9)))
    return performance


def _turn_path(performance: Performance, yaw_rad: float) -> None:
    """Turn the whole motion, its path too, about the upright axis."""
    turn = about(1, yaw_rad)
    performance.root_legs = performance.root_legs @ turn.T
    performance.turn("root", turn)


def _animate_face(plan: ClipPlan, performance: Performance, random: np.random.Generator) -> None:
    if plan.category == "speech":
        speaking.say(performance, random, plan.split)
    elif plan.category == "gesture":
        face.talk(performance, random, float(random.uniform(0.7, 1.0)))
        face.express(performance, random, 0.35)
    elif plan.category == "expression":
        face.express(performance, random, 1.0)
    else:
        face.express(performance, random, 0.5)
    face.blink(performance, random)
    face.glance(performance, random)
