"""Linear blend skinning of a mesh by bones.

Legend: T frames, B bones, V vertices.
"""

import numpy as np
from scipy.sparse import csr_matrix

from dreamactor_signals.body_models.bones import BONE_PARENTS


def skin(points_m: np.ndarray, starts_m: np.ndarray, weights: csr_matrix, rotations: np.ndarray) -> np.ndarray:
    """Posed vertices, the pelvis bone starting at the origin.

    Args:
        points_m: (V, 3) at rest. starts_m: (B, 3) where bones start at rest.
        weights: (V, B), rows summing to 1.
        rotations: (T, B, 3, 3) of every bone from rest, in the axes it is posed in.

    Returns:
        (T, V, 3) float32.
    """
    posed_m = np.empty((len(rotations), len(points_m), 3), dtype=np.float32)
    moves_m = posed_starts_m(starts_m, rotations) - np.einsum("tbij,bj->tbi", rotations, starts_m)
    for frame in range(len(rotations)):
        blended = weights @ np.concatenate([rotations[frame].reshape(-1, 9), moves_m[frame]], axis=1)
        posed_m[frame] = np.einsum("vij,vj->vi", blended[:, :9].reshape(-1, 3, 3), points_m) + blended[:, 9:]
    return posed_m


def posed_starts_m(starts_m: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """(T, B, 3) where bones start, the pelvis at the origin."""
    posed_m = np.zeros(rotations.shape[:3])
    for bone, parent in enumerate(BONE_PARENTS):
        if parent >= 0:
            posed_m[:, bone] = posed_m[:, parent] + rotations[:, parent] @ (starts_m[bone] - starts_m[parent])
    return posed_m
