"""Where a fit starts: a standing body, or what the tracker's own 3-D says of the directions of limbs.

Legend: T frames, J joints, B bones.
"""

import numpy as np
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.body_models.bones import BONE_COUNT, BONE_PARENTS, FINGERS, SIDES, bone_index
from dreamactor_signals.fit.keypoints import Keypoints
from dreamactor_signals.fit.priors import pose_prior
from dreamactor_signals.rotations import nearest_rotation

# Body axes (x left, y up, z forward) seen by a camera that the person faces (x right, y down, z forward).
FACING = np.diag((1.0, -1.0, -1.0))
# Joints whose direction tells where a bone points, for each side.
_SEGMENTS = {
    "upper_arm": ("shoulder", "elbow"),
    "lower_arm": ("elbow", "wrist"),
    "hand": ("wrist", "middle_1"),
    "thigh": ("hip", "knee"),
    "shin": ("knee", "ankle"),
    "foot": ("heel", "toe"),
} | {
    f"{finger}_{number}": (f"{finger}_{number}", f"{finger}_{number + 1}")
    for finger in FINGERS[1:]
    for number in (1, 2, 3)
}
_LEAST_CONFIDENCE = 0.1
_DISTANCES_M = (0.2, 50.0)


def start_rotations(keypoints: Keypoints, rest_joints_m: np.ndarray) -> np.ndarray:
    """(T, B, 3, 3) rotations of all bones from the T pose into camera space.

    Args:
        keypoints: that will be fitted.
        rest_joints_m: (J, 3) of the average body in the T pose.
    """
    mean = _axis_angle(pose_prior().mean)
    roots = start_roots(keypoints)
    rotations = np.zeros((len(roots), BONE_COUNT, 3, 3))
    segments = {
        bone_index(f"{side}_{bone}"): (joint_index(f"{side}_{start}"), joint_index(f"{side}_{end}"))
        for side in SIDES
        for bone, (start, end) in _SEGMENTS.items()
    }
    for bone, parent in enumerate(BONE_PARENTS):
        rotations[:, bone] = roots if parent < 0 else rotations[:, parent] @ mean[bone]
        if keypoints.joints_cam_m is None or bone not in segments:
            continue
        start, end = segments[bone]
        seen = np.minimum(keypoints.confidence[:, start], keypoints.confidence[:, end]) > _LEAST_CONFIDENCE
        along = keypoints.joints_cam_m[:, end] - keypoints.joints_cam_m[:, start]
        # From the parent's own direction: the smallest turn leaves the least twist.
        above = rotations[:, parent]
        turn = _turns_between(above @ (rest_joints_m[end] - rest_joints_m[start]), along)
        rotations[seen, bone] = (turn @ above)[seen]
    return rotations


def start_roots(keypoints: Keypoints) -> np.ndarray:
    """(T, 3, 3) rotations of the pelvis into camera space, steady where the torso is not seen."""
    across, up = _torso_directions(keypoints)
    confidence = keypoints.confidence[:, [joint_index("left_shoulder"), joint_index("right_shoulder")]].min(axis=1)
    if keypoints.joints_cam_m is None:
        # Flat on the picture: which shoulder is on which side tells front from back.
        facing = np.sign(np.average(across[:, 0], weights=confidence + 1e-6)) or 1.0
        return np.tile(FACING @ np.diag((facing, 1.0, facing)), (len(confidence), 1, 1))
    # Whose hips are not seen, as in a portrait, sits or stands upright.
    up = np.where(keypoints.confidence[:, [joint_index("pelvis")]] > _LEAST_CONFIDENCE, up, (0.0, -1.0, 0.0))
    up = up / np.linalg.norm(up, axis=-1, keepdims=True).clip(1e-6)
    across = across - (across * up).sum(-1, keepdims=True) * up
    across = across / np.linalg.norm(across, axis=-1, keepdims=True).clip(1e-6)
    roots = np.stack([across, up, np.cross(across, up)], axis=-1)
    seen = np.flatnonzero((confidence > _LEAST_CONFIDENCE) & (np.abs(np.linalg.det(roots) - 1) < 1e-3))
    if not len(seen):
        return np.tile(FACING, (len(confidence), 1, 1))
    nearest = seen[np.abs(np.arange(len(roots))[:, None] - seen).argmin(axis=1)]
    return roots[nearest]


def start_pelvis(keypoints: Keypoints, joints_m: np.ndarray, focal_px: float, principal_px: np.ndarray) -> np.ndarray:
    """(T, 3) where a posed body (T, J, 3) must stand to look as seen: weighted linear least squares a frame."""
    rays = (keypoints.points_px - principal_px) / focal_px
    weights = np.maximum(keypoints.confidence, 1e-4)
    ones, zeros = np.ones_like(weights), np.zeros_like(weights)
    system = np.concatenate([np.stack([ones, zeros, -rays[..., 0]], -1), np.stack([zeros, ones, -rays[..., 1]], -1)], 1)
    known = np.concatenate([rays[..., axis] * joints_m[..., 2] - joints_m[..., axis] for axis in (0, 1)], 1)
    spread = np.concatenate([weights, weights], 1)
    normal = np.einsum("tn,tni,tnj->tij", spread, system, system) + 1e-6 * np.eye(3)
    position = np.linalg.solve(normal, np.einsum("tn,tni,tn->ti", spread, system, known)[..., None])[..., 0]
    # Points that look like no body at all may put it behind the camera.
    position[:, 2] = np.maximum(position[:, 2], 0.05)
    # The distance changes slowly, and a frame that shows little tells it badly.
    trust = keypoints.confidence.sum(axis=1)
    depth_m = _weighted_median(np.maximum(position[:, 2], 0.2), trust)
    return position * (depth_m / position[:, 2])[:, None]


def _torso_directions(keypoints: Keypoints) -> tuple[np.ndarray, np.ndarray]:
    """(T, 2 or 3) from the right to the left side, and from the hips to the shoulders."""
    points = keypoints.points_px if keypoints.joints_cam_m is None else keypoints.joints_cam_m
    left, right = points[:, joint_index("left_shoulder")], points[:, joint_index("right_shoulder")]
    hips = points[:, joint_index("left_hip")] - points[:, joint_index("right_hip")]
    return left - right + hips, points[:, joint_index("neck")] - points[:, joint_index("pelvis")]


def _turns_between(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(T, 3, 3) the smallest rotations that turn directions (T, 3) into others."""
    a = source / np.linalg.norm(source, axis=-1, keepdims=True).clip(1e-9)
    b = target / np.linalg.norm(target, axis=-1, keepdims=True).clip(1e-9)
    cross = np.cross(a, b)
    x, y, z = np.moveaxis(cross, -1, 0)
    zero = np.zeros_like(x)
    skew = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    cosine = np.maximum((a * b).sum(-1), -0.999)[:, None, None]
    return nearest_rotation(np.eye(3) + skew + skew @ skew / (1 + cosine))


def _axis_angle(turns: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(turns).as_matrix()


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(values[order][min(half, len(values) - 1)])
