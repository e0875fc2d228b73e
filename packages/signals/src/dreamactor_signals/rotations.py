"""Rotations from points, and the rotation nearest to a matrix."""

import numpy as np


def nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """The rotations (..., 3, 3) nearest to any matrices (..., 3, 3), in the least-squares sense."""
    u, _, vt = np.linalg.svd(matrices)
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., :, 2] *= sign[..., None]
    return u @ vt


def align(source: np.ndarray, target: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Rotation and scale that best carry `source` onto `target` after both are centred (weighted Procrustes).

    Args:
        source, target: (N, 3).
        weights: (N,), not negative.

    Returns:
        (3, 3) rotation, and the scale.
    """
    share = (weights / weights.sum())[:, None]
    a = source - (share * source).sum(axis=0)
    b = target - (share * target).sum(axis=0)
    rotation = nearest_rotation((share * b).T @ a)
    turned = a @ rotation.T
    return rotation, float((share * turned * b).sum() / max((share * a * a).sum(), 1e-12))
