"""The project's joints on the rig: which bone carries each, and where it lies at rest.

Legend: J joints, B bones, V base vertices.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from dreamactor_core.skeleton import JOINT_NAMES, joint_index

from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from dreamactor_signals.body_models.makehuman.rig import load_rig

_LIMBS = {
    "elbow": "lowerarm01",
    "wrist": "wrist",
    "hip": "upperleg01",
    "knee": "lowerleg01",
    "ankle": "foot",
}
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# The last bone ends on the skin; the tip that trackers report lies inside the finger.
_TIP = 0.9
# Trackers mark a shoulder on its top, not where the upper arm turns: measured against the embedded one, the share of
# the way (out, up, forward) from the head of the upper arm to the end of the collar bone.
_SHOULDER_TOP = np.array((0.12, 0.75, 0.0))
_SIDES = {"left": "L", "right": "R"}


@dataclass(frozen=True)
class RestJoints:
    """Joints of one body in the rest pose; `pelvis` and `neck` are midpoints and carried by nothing (-1).

    Attributes:
        bones: (J,) int64 bone that carries the joint.
        points_m: (J, 3) at rest, body axes.
    """

    bones: np.ndarray
    points_m: np.ndarray


def rest_joints(base_m: np.ndarray) -> RestJoints:
    """Joints of a body given by its base vertices (V, 3) in metres."""
    rig = load_rig()
    heads_m, tails_m = rig.heads @ base_m, rig.tails @ base_m
    bones = np.full(len(JOINT_NAMES), -1)
    points_m = np.zeros((len(JOINT_NAMES), 3))

    def place(joint: str, bone: str, point_m: np.ndarray | None = None) -> None:
        index = rig.index(bone)
        bones[joint_index(joint)] = index
        points_m[joint_index(joint)] = heads_m[index] if point_m is None else point_m

    for side, letter in _SIDES.items():
        for joint, bone in _LIMBS.items():
            place(f"{side}_{joint}", f"{bone}.{letter}")
        arm_m, collar_m = heads_m[rig.index(f"upperarm01.{letter}")], heads_m[rig.index(f"shoulder01.{letter}")]
        place(f"{side}_shoulder", f"shoulder01.{letter}", arm_m + _SHOULDER_TOP * (collar_m - arm_m))
        place(f"{side}_heel", f"foot.{letter}", base_m[_foot_vertex(letter, toe=False)])
        place(f"{side}_toe", f"toe1-2.{letter}", base_m[_foot_vertex(letter, toe=True)])
        for number, finger in enumerate(_FINGERS, start=1):
            for knuckle in (1, 2, 3):
                place(f"{side}_{finger}_{knuckle}", f"finger{number}-{knuckle}.{letter}")
            last = f"finger{number}-3.{letter}"
            nail_m, knuckle_m = tails_m[rig.index(last)], heads_m[rig.index(last)]
            place(f"{side}_{finger}_4", last, knuckle_m + _TIP * (nail_m - knuckle_m))
    return RestJoints(bones, points_m)


def with_midpoints(joints: np.ndarray) -> np.ndarray:
    """(..., J, 3) with pelvis and neck set between hips and between shoulders."""
    for middle, ends in (("pelvis", "hip"), ("neck", "shoulder")):
        left, right = joint_index(f"left_{ends}"), joint_index(f"right_{ends}")
        joints[..., joint_index(middle), :] = (joints[..., left, :] + joints[..., right, :]) / 2
    return joints


@cache
def _foot_vertex(letter: str, *, toe: bool) -> int:
    """The vertex furthest forward on the big toe, or furthest back on the heel."""
    mesh, rig = load_base_mesh(), load_rig()
    body = np.unique(mesh.quads["body"])
    bone = rig.index(f"toe1-2.{letter}" if toe else f"foot.{letter}")
    carried = body[rig.weights[body, bone].toarray().ravel() > 0.4]
    depth = mesh.template_dm[carried, 2]
    low = mesh.template_dm[carried, 1] < (9.0 if toe else -7.6)
    return int(carried[np.argmax(np.where(low, depth if toe else -depth, -np.inf))])
