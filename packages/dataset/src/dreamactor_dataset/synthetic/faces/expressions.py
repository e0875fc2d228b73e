"""Expressions drawn over all face units, independent of who shows them: the muscles of a region take turns.

Legend: U face units.
"""

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS

_UNIT = {name: index for index, name in enumerate(ARKIT_UNITS)}
_Units = tuple[str, ...]
# Each row: how often something happens there, and what; one thing of a row at a time, since a mouth corner cannot rise
# and fall and an eye cannot be wide and shut. A name without a side means both sides.
_ACTIONS: tuple[tuple[float, tuple[_Units, ...]], ...] = (
    (0.60, (("browDown",), ("browInnerUp",), ("browOuterUp",), ("browInnerUp", "browOuterUp"))),
    (0.65, (("eyeBlink",), ("eyeWide",), ("eyeSquint",))),
    (0.60, (("eyeLookOutLeft", "eyeLookInRight"), ("eyeLookInLeft", "eyeLookOutRight"))),
    (0.50, (("eyeLookUp",), ("eyeLookDown",))),
    (0.35, (("noseSneer",),)),
    (0.50, (("cheekPuff",), ("cheekSquint",))),
    (0.60, (("jawOpen",), ("jawOpen",), ("jawOpen", "mouthClose"))),
    (0.45, (("jawLeft",), ("jawRight",), ("jawForward",))),
    (0.75, (("mouthSmile",), ("mouthFrown",), ("mouthStretch",), ("mouthDimple",))),
    (0.40, (("mouthLeft",), ("mouthRight",))),
    (0.60, (("mouthFunnel",), ("mouthPucker",), ("mouthPress",))),
    (0.60, (("mouthUpperUp",), ("mouthRollUpper",), ("mouthShrugUpper",))),
    (0.60, (("mouthLowerDown",), ("mouthRollLower",), ("mouthShrugLower",))),
)
_LEAST, _MOST = 0.25, 1.0
# Faces are mostly, but not always, symmetric: this often one side does less than the other.
_LOPSIDED = 0.3
# Rarely is every muscle in use: this share of all actions, drawn anew for each face.
_BUSY = (0.4, 1.0)


def draw_expression(random: np.random.Generator) -> np.ndarray:
    """(U,) float32 in [0, 1]: what a face does at one moment."""
    units = np.zeros(len(ARKIT_UNITS), np.float32)
    busy = random.uniform(*_BUSY)
    for odds, choices in _ACTIONS:
        # Drawn whether used or not, so that one action does not shift the numbers of the next.
        happens, choice = random.random() < odds * busy, choices[random.integers(len(choices))]
        strength, share = random.uniform(_LEAST, _MOST), random.uniform(0.0, 0.8)
        weaker = random.choice(("Left", "Right")) if random.random() < _LOPSIDED else ""
        if not happens:
            continue
        for name in choice:
            for unit in _sides(name):
                units[_UNIT[unit]] = strength * (share if weaker and unit != name and unit.endswith(weaker) else 1)
    return units


def _sides(name: str) -> tuple[str, ...]:
    return (name,) if name in _UNIT else (f"{name}Left", f"{name}Right")
