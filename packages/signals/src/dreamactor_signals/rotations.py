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


def shortest_rotation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the shortest rotations that carry directions (..., 3) onto others, not onto opposite ones."""
    a, b = unit(before), unit(after)
    cosine = (a * b).sum(axis=-1)[..., None, None]
    x, y, z = np.moveaxis(np.cross(a, b), -1, 0)
    zero = np.zeros_like(x)
    skew = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    return np.asarray(np.eye(3) + skew + skew @ skew / np.maximum(1 + cosine, 1e-6))


def unit(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) of length 1; zeros stay zeros."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def rotation_of_vector(vectors_rad: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations about vectors (..., 3) by their length in radians."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_rotvec(vectors_rad.reshape(-1, 3)).as_matrix().reshape(*vectors_rad.shape, 3))


def vector_of_rotation(rotations: np.ndarray) -> np.ndarray:
    """(..., 3) rotation vectors, no longer than pi, of rotations (..., 3, 3)."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_rotvec().reshape(rotations.shape[:-1]))
