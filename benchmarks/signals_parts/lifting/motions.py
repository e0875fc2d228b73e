"""Motions that the lifting networks learn from: captures mixed limb by limb, and poses drawn from how joints reach.

The few captures must not be learnt by heart: limbs of several play together, mirrored, larger or smaller, faster or
slower, with every joint off by a slowly changing turn. What benchmarks show is left out altogether: the captures
`HELD_OUT`, and every stance of `motion.gestures`.

Legend: T frames.
"""

import numpy as np
from dreamactor_dataset.synthetic.motion import mocap
from dreamactor_dataset.synthetic.motion.curves import moves, wander
from dreamactor_dataset.synthetic.motion.performance import SIDES, Performance
from dreamactor_dataset.synthetic.motion.rotations import about, around
from dreamactor_dataset.synthetic.motion.variation import vary

HELD_OUT = ("dance_b", "walk", "punch")
"""Captures that benchmarks show: no network is trained or judged on them before those."""
VALIDATION = ("kick", "spin")
UPRIGHT = ("dance_a", "jump", "run", "spinkick")
ON_THE_FLOOR = ("backflip", "cartwheel", "crawl", "getup_facedown", "getup_faceup", "roll")

STEP_S = 0.12
"""Between frames: as far apart as the moments that the networks look at."""
# Motion is made at this rate, at which the curves' frames count, and every third frame is shown.
_FPS = 25.0
_STRIDE = round(STEP_S * _FPS)
_LATEST_START_S = 8.0

_LEGS = ("root", *(f"{side}_{joint}" for side in SIDES for joint in ("hip", "knee", "ankle")))
_TRUNK = ("chest", "neck")
_ARMS = {side: (f"{side}_shoulder", f"{side}_elbow") for side in SIDES}
_FLOOR_SHARE, _DRAWN_SHARE = 0.12, 0.4
_OTHER_TRUNK, _OTHER_ARM = 0.4, 0.6
# Standard deviation of a joint's constant turn, and of its slow one.
_OFF_RAD, _DRIFT_RAD = 0.16, 0.10

# Degrees, lowest, at rest and highest. Shoulders and hips: raised forward, raised sideways, turned inward.
_SHOULDER = ((-50, 0, 150), (-12, 5, 125), (-60, 5, 80))
_ELBOW = (2, 15, 145)
_HIP = ((-30, 0, 105), (-10, 3, 48), (-30, 0, 30))
_KNEE = (0, 5, 125)
_ANKLE = (-30, 0, 25)
_CHEST = ((-20, 0, 55), (-40, 0, 40), (-25, 0, 25))
_NECK = ((-35, 0, 35), (-65, 0, 65), (-25, 0, 25))
_ROOT = ((-12, 0, 25), (-12, 0, 12))


def draw_motion(random: np.random.Generator, frame_count: int, captures: tuple[str, ...]) -> Performance:
    """A motion of T frames, `STEP_S` apart, that stands or moves upright or, rarely, on the floor.

    Args:
        captures: to mix; those on the floor are never mixed with others.
    """
    frames = frame_count * _STRIDE
    floor = [name for name in captures if name in ON_THE_FLOOR]
    upright = [name for name in captures if name not in ON_THE_FLOOR]
    if floor and random.random() < _FLOOR_SHARE:
        performance = _captured(random, frames, floor)
    else:
        performance = _mixed(random, frames, upright)
    for joint in list(performance.rotations):
        if joint != "root":
            performance.turn(joint, _off(random, frames))
    performance.turn("root", about(1, random.uniform(-np.pi, np.pi) + wander(random, frames, 160, 0.15)))
    for side in SIDES:
        performance.curl[side] = np.clip(random.uniform(0, 0.8) + wander(random, frames, 40, 0.15), 0, 1)
        performance.pronation_rad[side] = random.uniform(-0.6, 1.4) + wander(random, frames, 40, 0.3)
    return _thinned(performance, frame_count)


def _mixed(random: np.random.Generator, frames: int, names: list[str]) -> Performance:
    """Legs of one motion, trunk and arms of it or of others."""

    def another() -> Performance:
        return _drawn(random, frames) if random.random() < _DRAWN_SHARE else _captured(random, frames, names)

    performance = another()
    for joints, share in ((_TRUNK, _OTHER_TRUNK), (_ARMS["left"], _OTHER_ARM), (_ARMS["right"], _OTHER_ARM)):
        if random.random() < share:
            other = another()
            performance.rotations |= {joint: other.of(joint) for joint in joints}
    performance.root_legs = performance.root_legs * (random.uniform(0, 1), 1, random.uniform(0, 1))
    return performance


def _captured(random: np.random.Generator, frames: int, names: list[str]) -> Performance:
    name = names[random.integers(len(names))]
    pace = float(random.uniform(0.6, 1.3))
    performance = mocap.perform(name, frames, _FPS / pace, start_s=float(random.uniform(0, _LATEST_START_S)))
    vary(performance, random)
    return performance


def _drawn(random: np.random.Generator, frames: int) -> Performance:
    """Moves between poses drawn within what joints reach; some people hardly stir their legs, some their arms."""
    performance = Performance(frames)
    arms, legs, trunk = random.uniform(0.2, 1), random.uniform(0, 1) ** 2, random.uniform(0.1, 0.8)
    forward, sideways = _curve(random, frames, _ROOT, trunk).T
    performance.turn("root", about(2, sideways) @ about(0, forward))
    for joint, reach in (("chest", _CHEST), ("neck", _NECK)):
        forward, turned, sideways = _curve(random, frames, reach, trunk).T
        performance.turn(joint, about(1, turned) @ about(0, forward) @ about(2, sideways))
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        performance.turn(f"{side}_shoulder", _ball(_curve(random, frames, _SHOULDER, arms), sign))
        performance.turn(f"{side}_elbow", about(0, -_curve(random, frames, (_ELBOW,), arms)[:, 0]))
        performance.turn(f"{side}_hip", _ball(_curve(random, frames, _HIP, legs), sign))
        performance.turn(f"{side}_knee", about(0, _curve(random, frames, (_KNEE,), legs)[:, 0]))
        performance.turn(f"{side}_ankle", about(0, _curve(random, frames, (_ANKLE,), legs)[:, 0]))
    return performance


def _curve(
    random: np.random.Generator, frames: int, reach_deg: tuple[tuple[int, int, int], ...], share: float
) -> np.ndarray:
    """(T, D) radians, from target to target; `share` of the way from rest to anywhere within reach."""
    low, rest, high = np.array(reach_deg, dtype=np.float64).T
    targets = rest + share * (random.uniform(low, high, size=(12, len(rest))) - rest)
    return np.radians(moves(random, targets, frames, travel=(6, 20), hold=(0, 12)))


def _ball(angles_rad: np.ndarray, sign: float) -> np.ndarray:
    """(T, 3, 3) of shoulders and hips from (T, 3): raised forward, raised sideways, turned inward."""
    forward, sideways, inward = angles_rad.T
    return about(2, sign * sideways) @ about(0, -forward) @ about(1, -sign * inward)


def _off(random: np.random.Generator, frames: int) -> np.ndarray:
    """(T, 3, 3) a turn that hardly changes."""
    axes = random.normal(size=(2, 3))
    constant, slow = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    return around(constant, random.normal(0, _OFF_RAD)) @ around(slow, wander(random, frames, 60, _DRIFT_RAD))


def _thinned(performance: Performance, frame_count: int) -> Performance:
    """Every third frame."""
    thin = Performance(frame_count)
    thin.rotations = {joint: turns[::_STRIDE] for joint, turns in performance.rotations.items()}
    thin.root_legs = performance.root_legs[::_STRIDE]
    thin.pronation_rad = {side: turns[::_STRIDE] for side, turns in performance.pronation_rad.items()}
    thin.curl = {side: curl[::_STRIDE] for side, curl in performance.curl.items()}
    return thin
