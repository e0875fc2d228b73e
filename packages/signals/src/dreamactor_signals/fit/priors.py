"""How bodies bend: what an anatomy book says of each joint's reach, and no one's data.

Each bone's turn against its parent is an axis times an angle in body axes of the T pose (x left, y up, z forward). The
left side is written down; the right is its mirror image (turns about y and z change sign).

Legend: B bones.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_signals.body_models.bones import BONE_COUNT, FINGERS, bone_index

_FREE = 3.2


@dataclass(frozen=True)
class Reach:
    """One bone's turn about each axis, radians: what it commonly is, how far it strays, and where it cannot go.

    Attributes:
        mean, spread: (3,) of a Gaussian.
        low, high: (3,) anatomical limits.
    """

    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    low: tuple[float, float, float]
    high: tuple[float, float, float]


def _around(spread: float, limit: float) -> Reach:
    """Alike about all axes."""
    return Reach((0, 0, 0), (spread,) * 3, (-limit,) * 3, (limit,) * 3)


_MIDDLE = {
    "spine_1": Reach((0, 0, 0), (0.15, 0.12, 0.12), (-0.4, -0.35, -0.35), (0.7, 0.35, 0.35)),
    "spine_2": Reach((0, 0, 0), (0.15, 0.12, 0.12), (-0.4, -0.35, -0.35), (0.7, 0.35, 0.35)),
    "spine_3": Reach((0, 0, 0), (0.12, 0.12, 0.10), (-0.3, -0.35, -0.3), (0.5, 0.35, 0.3)),
    "neck": Reach((0, 0, 0), (0.25, 0.25, 0.15), (-0.6, -0.7, -0.4), (0.6, 0.7, 0.4)),
    "head": Reach((0, 0, 0), (0.25, 0.25, 0.15), (-0.5, -0.7, -0.4), (0.5, 0.7, 0.4)),
}
# The left arm hangs after a turn of -75 degrees about z; elbows bend about -y, knees about +x, fingers about -z.
_LEFT = {
    "clavicle": Reach((0, 0, 0), (0.08, 0.12, 0.12), (-0.3, -0.5, -0.3), (0.3, 0.5, 0.6)),
    "upper_arm": Reach((0, -0.2, -1.1), (0.5, 0.6, 0.7), (-1.9, -2.4, -2.2), (1.9, 1.0, 1.8)),
    "lower_arm": Reach((0, -0.7, 0), (0.5, 0.8, 0.15), (-1.5, -2.6, -0.3), (1.5, 0.1, 0.3)),
    "hand": Reach((0, 0, 0), (0.25, 0.25, 0.4), (-0.6, -0.6, -1.4), (0.6, 0.7, 1.3)),
    "thigh": Reach((-0.2, 0, 0.05), (0.5, 0.25, 0.25), (-2.2, -0.9, -0.7), (0.7, 0.9, 1.2)),
    "shin": Reach((0.3, 0, 0), (0.6, 0.1, 0.06), (-0.1, -0.4, -0.2), (2.6, 0.4, 0.2)),
    "foot": Reach((0, 0, 0), (0.3, 0.2, 0.12), (-0.7, -0.5, -0.4), (0.9, 0.5, 0.4)),
    "toes": Reach((0, 0, 0), (0.15, 0.03, 0.03), (-0.8, -0.1, -0.1), (0.4, 0.1, 0.1)),
}


def _finger_reach() -> dict[str, Reach]:
    reach = {
        "thumb_1": _around(0.35, 0.8),
        "thumb_2": Reach((0, 0, 0), (0.15, 0.35, 0.25), (-0.4, -0.9, -0.7), (0.4, 0.9, 0.7)),
        "thumb_3": Reach((0, 0, 0), (0.12, 0.35, 0.25), (-0.3, -1.2, -0.8), (0.3, 1.2, 0.8)),
    }
    for finger in FINGERS[1:]:
        reach[f"{finger}_1"] = Reach((0, 0, -0.35), (0.08, 0.12, 0.45), (-0.2, -0.4, -1.7), (0.2, 0.4, 0.5))
        reach[f"{finger}_2"] = Reach((0, 0, -0.4), (0.04, 0.05, 0.45), (-0.1, -0.15, -1.9), (0.1, 0.15, 0.1))
        reach[f"{finger}_3"] = Reach((0, 0, -0.25), (0.04, 0.05, 0.3), (-0.1, -0.15, -1.4), (0.1, 0.15, 0.2))
    return reach


@dataclass(frozen=True)
class PosePrior:
    """(B, 3) mean, spread and limits of every bone's turn against its parent; the pelvis is free."""

    mean: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray


def pose_prior() -> PosePrior:
    """The prior of all bones."""
    table = np.zeros((4, BONE_COUNT, 3))
    table[1], table[2], table[3] = 1.0, -_FREE, _FREE
    for bone, reach in _MIDDLE.items():
        table[:, bone_index(bone)] = (reach.mean, reach.spread, reach.low, reach.high)
    mirror = np.array((1.0, -1, -1))
    for bone, reach in (_LEFT | _finger_reach()).items():
        mean, spread, low, high = (np.array(x) for x in (reach.mean, reach.spread, reach.low, reach.high))
        table[:, bone_index(f"left_{bone}")] = (mean, spread, low, high)
        a, b = low * mirror, high * mirror
        table[:, bone_index(f"right_{bone}")] = (mean * mirror, spread, np.minimum(a, b), np.maximum(a, b))
    return PosePrior(*table)
