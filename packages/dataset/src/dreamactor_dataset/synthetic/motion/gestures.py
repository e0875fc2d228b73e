"""Heads that turn and nod, bodies that sway, arms that gesture.

Legend: T frames (25 a second).
"""

import numpy as np

from dreamactor_dataset.synthetic.motion.curves import moves, wander
from dreamactor_dataset.synthetic.motion.performance import SIDES, Performance
from dreamactor_dataset.synthetic.motion.rotations import about

# An arm in degrees: raised forward, raised sideways, turned inward, elbow bent, palm turned up; hand closed (0-1).
_ARMS: dict[str, tuple[float, float, float, float, float, float]] = {
    "down": (2, 4, 8, 14, 0, 0.35),
    "low": (14, 10, 40, 72, 20, 0.35),
    "open": (24, 20, 2, 84, 75, 0.15),
    "offer": (38, 14, 10, 62, 80, 0.10),
    "chest": (34, 24, 62, 112, 10, 0.20),
    "count": (30, 16, 14, 122, 20, 0.70),
    "point": (52, 12, 4, 48, 0, 0.75),
    "wave": (26, 52, -42, 118, 40, 0.05),
    "hip": (-14, 40, 62, 92, 10, 0.40),
    "stop": (58, 10, 0, 78, -20, 0.05),
}


def sway(performance: Performance, random: np.random.Generator, strength: float) -> None:
    """Nobody stands still: weight shifts, breath, a little turning of the trunk."""
    count = performance.frame_count
    for joint, spread in (("root", 0.018), ("chest", 0.030)):
        performance.turn(joint, about(0, wander(random, count, 70, strength * spread)))
        performance.turn(joint, about(2, wander(random, count, 80, strength * spread)))
        performance.turn(joint, about(1, wander(random, count, 95, strength * 2 * spread)))
    performance.root_legs = performance.root_legs + strength * np.stack(
        [wander(random, count, 90, 0.012), np.zeros(count), wander(random, count, 100, 0.008)], axis=1
    )


def turn_head(
    performance: Performance, random: np.random.Generator, yaw_rad: float, pitch_rad: float, roll_rad: float
) -> None:
    """Turns between points up to the given angles, with a tremble of life on top."""
    reach = (yaw_rad, pitch_rad, roll_rad)
    points = random.uniform(-1, 1, size=(32, 3)) * reach
    points[1::3] *= 0.3
    yaw, pitch, roll = moves(random, points, performance.frame_count, travel=(7, 18), hold=(2, 12)).T
    tremble = [wander(random, performance.frame_count, 22, 0.010) for _ in reach]
    performance.turn("neck", head_rotation(yaw + tremble[0], pitch + tremble[1], roll + tremble[2]))


def head_rotation(yaw_rad: np.ndarray, pitch_rad: np.ndarray, roll_rad: np.ndarray) -> np.ndarray:
    """(T, 3, 3) of a head: positive yaw to the person's left, pitch up, roll towards the left shoulder."""
    return about(1, yaw_rad) @ about(0, -pitch_rad) @ about(2, -roll_rad)


def gesticulate(performance: Performance, random: np.random.Generator, liveliness: float) -> None:
    """Each arm moves between a few stances; the more lively, the more often and the larger.

    Args:
        liveliness: 0 hangs the arms, 1 keeps them in the air.
    """
    names = list(_ARMS)
    together = random.random() < 0.45
    plan = _plan(random, names, liveliness)
    for side in SIDES:
        order = plan if together or side == "left" else _plan(random, names, liveliness)
        stances = np.array([_ARMS[name] for name in order])
        stances = stances + random.normal(0, (4, 4, 6, 7, 10, 0.08), size=stances.shape)
        _move_arm(performance, random, side, stances)


def _plan(random: np.random.Generator, names: list[str], liveliness: float) -> list[str]:
    start = "down" if random.random() > liveliness else names[random.integers(1, len(names))]
    rest = [names[random.integers(1, len(names))] if random.random() < liveliness else "down" for _ in range(15)]
    return [start, *rest]


def _move_arm(performance: Performance, random: np.random.Generator, side: str, stances: np.ndarray) -> None:
    curve = moves(random, stances, performance.frame_count, travel=(8, 16), hold=(3, 14))
    beat = np.stack([wander(random, performance.frame_count, 18, 2.0) for _ in range(4)], axis=1)
    forward, sideways, inward, elbow = np.radians(curve[:, :4] + beat).T
    sign = 1.0 if side == "left" else -1.0
    performance.turn(f"{side}_shoulder", about(2, sign * sideways) @ about(0, -forward) @ about(1, -sign * inward))
    performance.turn(f"{side}_elbow", about(0, -np.clip(elbow, 0.02, 2.4)))
    performance.pronation_rad[side] = np.radians(curve[:, 4])
    performance.curl[side] = np.clip(curve[:, 5], 0, 1)
