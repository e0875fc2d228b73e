"""One captured motion performed in other ways: mirrored, larger or smaller, with living hands.

Legend: T frames.
"""

import numpy as np

from dreamactor_dataset.synthetic.motion.curves import wander
from dreamactor_dataset.synthetic.motion.performance import SIDES, Performance
from dreamactor_dataset.synthetic.motion.rotations import fraction

_MIRROR = np.diag((-1.0, 1.0, 1.0))
_SIZED = ("chest", "neck", *(f"{side}_{joint}" for side in SIDES for joint in ("shoulder", "elbow")))


def vary(performance: Performance, random: np.random.Generator) -> None:
    """Draw a variation."""
    if random.random() < 0.5:
        _mirror(performance)
    for joint in _SIZED:
        performance.rotations[joint] = fraction(performance.of(joint), float(random.uniform(0.85, 1.12)))
    for side in SIDES:
        curl = random.uniform(0.1, 0.6) + wander(random, performance.frame_count, 30, 0.12)
        performance.curl[side] = np.clip(curl, 0, 1)


def _mirror(performance: Performance) -> None:
    """Left and right change places, path and all."""
    other = {"left": "right", "right": "left"}
    mirrored = {}
    for joint, rotation in performance.rotations.items():
        side, _, name = joint.partition("_")
        mirrored[f"{other[side]}_{name}" if side in other else joint] = _MIRROR @ rotation @ _MIRROR
    performance.rotations = mirrored
    performance.root_legs = performance.root_legs * (-1, 1, 1)
