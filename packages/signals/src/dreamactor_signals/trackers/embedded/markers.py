"""Where the body network marks joints, against where they are.

Measured on nine clips of synthetic people of seed 501 (`benchmarks/signals_parts/fit.py` uses others): the median over
clips of what the network's points lie off the true joints, in body axes of the T pose, left and right taken together.
It marks hips lower and further forward than they turn, heels behind and toes before where bones end.
"""

import numpy as np
from dreamactor_core.skeleton import JOINT_COUNT, joint_index

# Left joint -> metres to the left, up, forward; the right ones are mirrored.
_LEFT_M = {
    "shoulder": (-0.003, 0.000, -0.008),
    "elbow": (0.000, -0.009, 0.024),
    "wrist": (0.005, 0.010, 0.005),
    "hip": (-0.004, -0.020, 0.012),
    "knee": (-0.001, 0.008, -0.035),
    "ankle": (-0.013, 0.020, 0.006),
    "heel": (-0.016, 0.016, 0.045),
    "toe": (0.021, 0.014, -0.028),
}


def marker_offsets_m() -> np.ndarray:
    """(J, 3) from joints to where the network marks them; zero for fingers."""
    offsets_m = np.zeros((JOINT_COUNT, 3))
    for joint, offset_m in _LEFT_M.items():
        offsets_m[joint_index(f"left_{joint}")] = offset_m
        offsets_m[joint_index(f"right_{joint}")] = np.array(offset_m) * (-1, 1, 1)
    return offsets_m
