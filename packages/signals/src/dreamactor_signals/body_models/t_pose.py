"""From any rig's rest pose to the common T pose, so that zero rotations mean the same for every body model.

Legend: B bones, J joints, N = 1 + S: the mean body, then what one unit of each shape parameter adds.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_signals.body_models.bones import BONE_NAMES, BONE_PARENTS, FINGERS, SIDES, bone_index
from dreamactor_signals.body_models.protocol import Articulation

# Bones that are straightened: towards the start of which other bone, and where that lies in the T pose (for the left).
_LEFT, _DOWN, _FORWARD = np.array((1.0, 0, 0)), np.array((0, -1.0, 0)), np.array((0, 0, 1.0))
_STRAIGHT = {
    "upper_arm": ("lower_arm", _LEFT),
    "lower_arm": ("hand", _LEFT),
    "hand": ("middle_1", _LEFT),
    "thigh": ("shin", _DOWN),
    "shin": ("foot", _DOWN),
} | {
    f"{finger}_{number}": (f"{finger}_{number + 1}", _LEFT)
    for finger in FINGERS
    if finger != "thumb"
    for number in (1, 2)
}
# Bones that stand in the T pose as they stand at rest, whatever the limb above them does.
_UPRIGHT = {"foot", "toes", "clavicle", "neck", "head", "pelvis", "spine_1", "spine_2", "spine_3"}


@dataclass(frozen=True)
class RestBody:
    """A model's bones and joints in its own rest pose, linear in shape.

    Attributes:
        starts_m: (N, B, 3). joints_m: (N, J, 3). joint_bones: (J,), -1 for midpoints.
        skull_m: (N, 4) centre and radius.
    """

    starts_m: np.ndarray
    joints_m: np.ndarray
    joint_bones: np.ndarray
    skull_m: np.ndarray


def to_t_pose(rest: RestBody) -> tuple[Articulation, np.ndarray]:
    """The body in the T pose, and the rotations (B, 3, 3) that carry each bone from rest into it."""
    rotations = straightening(rest.starts_m[0])
    starts_m = np.zeros_like(rest.starts_m)
    for bone, parent in enumerate(BONE_PARENTS):
        if parent < 0:
            starts_m[:, bone] = 0
        else:
            offset_m = rest.starts_m[:, bone] - rest.starts_m[:, parent]
            starts_m[:, bone] = starts_m[:, parent] + offset_m @ rotations[parent].T
    carriers = np.maximum(rest.joint_bones, 0)
    offset_m = rest.joints_m - rest.starts_m[:, carriers]
    joints_m = starts_m[:, carriers] + np.einsum("jik,njk->nji", rotations[carriers], offset_m)
    head = bone_index("head")
    skull_m = rest.skull_m.copy()
    skull_m[:, :3] += starts_m[:, head] - rest.starts_m[:, head]
    return (
        Articulation(
            starts_mean_m=starts_m[0],
            starts_basis_m=starts_m[1:],
            joint_bones=rest.joint_bones,
            joints_mean_m=joints_m[0],
            joints_basis_m=joints_m[1:],
            skull_mean_m=skull_m[0],
            skull_basis_m=skull_m[1:],
        ),
        rotations,
    )


def straightening(starts_m: np.ndarray) -> np.ndarray:
    """(B, 3, 3) rotations from rest to T pose of a body whose bones start at (B, 3)."""
    rotations = np.tile(np.eye(3), (len(BONE_NAMES), 1, 1))
    for bone, parent in enumerate(BONE_PARENTS):
        side, _, limb = BONE_NAMES[bone].partition("_")
        if parent < 0 or side not in SIDES or limb in _UPRIGHT:
            continue
        rotations[bone] = rotations[parent]
        if limb not in _STRAIGHT:
            continue
        child, target = _STRAIGHT[limb]
        mirror = np.array((1.0 if side == "left" else -1.0, 1, 1))
        along = starts_m[bone_index(f"{side}_{child}")] - starts_m[bone]
        rotations[bone] = turn_between(rotations[bone] @ along, target * mirror) @ rotations[bone]
        if limb == "hand":
            across = starts_m[bone_index(f"{side}_index_1")] - starts_m[bone_index(f"{side}_pinky_1")]
            across = (rotations[bone] @ across) * (0, 1, 1)
            rotations[bone] = turn_between(across, _FORWARD) @ rotations[bone]
    return rotations


def turn_between(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that turns direction `source` (3,) into `target` (3,), never quite opposite."""
    a, b = source / np.linalg.norm(source), target / np.linalg.norm(target)
    cross = np.cross(a, b)
    skew = np.array(((0, -cross[2], cross[1]), (cross[2], 0, -cross[0]), (-cross[1], cross[0], 0)))
    return np.eye(3) + skew + skew @ skew / (1 + float(a @ b))
