"""From bone rotations to posed vertices and joints: forward kinematics and linear blend skinning.

Legend: T frames, B bones, N vertices, J joints, U face units.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_signals.body_models.makehuman.joints import with_midpoints
from dreamactor_signals.body_models.makehuman.rig import load_rig
from numba import njit

from dreamactor_dataset.synthetic.figure.figure import Figure


@dataclass(frozen=True)
class BonePose:
    """Every bone in the world at T frames.

    Attributes:
        rotations: (T, B, 3, 3) from the rest pose, body axes.
        heads_m: (T, B, 3) where bones start.
    """

    rotations: np.ndarray
    heads_m: np.ndarray


def pose_bones(bone_heads_m: np.ndarray, local: np.ndarray, root_m: np.ndarray) -> BonePose:
    """Chain rotations down the tree.

    Args:
        bone_heads_m: (B, 3) at rest.
        local: (T, B, 3, 3) rotation of each bone against its parent, in the axes of the rest pose.
        root_m: (T, 3) where the root bone starts.
    """
    parents = load_rig().parents
    rotations, heads_m = np.empty_like(local), np.empty((*local.shape[:2], 3))
    for bone, parent in enumerate(parents):
        if parent < 0:
            rotations[:, bone], heads_m[:, bone] = local[:, bone], root_m
            continue
        rotations[:, bone] = rotations[:, parent] @ local[:, bone]
        offset_m = bone_heads_m[bone] - bone_heads_m[parent]
        heads_m[:, bone] = heads_m[:, parent] + rotations[:, parent] @ offset_m
    return BonePose(rotations, heads_m)


def posed_vertices_m(figure: Figure, pose: BonePose, frame: int, units: np.ndarray) -> np.ndarray:
    """(N, 3) float32 drawn vertices of one frame, with face units (U,) on top of the rest shape."""
    shape_m = figure.rest_m + (figure.unit_offsets @ units).reshape(-1, 3)
    rotations = pose.rotations[frame]
    moves_m = pose.heads_m[frame] - np.einsum("bij,bj->bi", rotations, figure.bone_heads_m)
    weights = figure.weights
    return _skin(
        shape_m.astype(np.float32),
        weights.indptr,
        weights.indices,
        weights.data,
        rotations.astype(np.float32),
        moves_m.astype(np.float32),
    )


@njit(cache=True)
def _skin(
    points: np.ndarray,
    starts: np.ndarray,
    bones: np.ndarray,
    weights: np.ndarray,
    rotations: np.ndarray,
    moves: np.ndarray,
) -> np.ndarray:
    """Each point moved by the weighted mean of its bones' transforms."""
    posed = np.zeros_like(points)
    for n in range(points.shape[0]):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        for entry in range(starts[n], starts[n + 1]):
            bone, weight = bones[entry], weights[entry]
            turn = rotations[bone]
            for axis in range(3):
                moved = turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2] * z + moves[bone, axis]
                posed[n, axis] += weight * moved
    return posed


def posed_joints_m(figure: Figure, pose: BonePose) -> np.ndarray:
    """(T, J, 3) the project's joints."""
    joints = figure.joints
    carried = np.maximum(joints.bones, 0)
    offset_m = joints.points_m - figure.bone_heads_m[carried]
    moved = pose.heads_m[:, carried] + np.einsum("tjik,jk->tji", pose.rotations[:, carried], offset_m)
    return with_midpoints(moved)


def posed_skull(figure: Figure, pose: BonePose) -> tuple[np.ndarray, np.ndarray]:
    """Head rotation (T, 3, 3) from rest and centre of the head sphere (T, 3) in metres, body axes."""
    head = load_rig().index("head")
    offset_m = figure.skull_center_m - figure.bone_heads_m[head]
    return pose.rotations[:, head], pose.heads_m[:, head] + pose.rotations[:, head] @ offset_m
