"""Rotation matrices about the body's axes (x to the person's left, y up, z forward), batched over leading shapes."""

import numpy as np


def about(axis: int, angle_rad: np.ndarray | float) -> np.ndarray:
    """(..., 3, 3) right-handed rotation about x (0), y (1) or z (2)."""
    angle = np.asarray(angle_rad, dtype=np.float64)
    matrix = np.zeros((*angle.shape, 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix


def around(axis: np.ndarray, angle_rad: np.ndarray | float) -> np.ndarray:
    """(..., 3, 3) rotation about any unit axis (3,)."""
    angle = np.asarray(angle_rad, dtype=np.float64)[..., None, None]
    skew = np.array(((0, -axis[2], axis[1]), (axis[2], 0, -axis[0]), (-axis[1], axis[0], 0)))
    return np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * (skew @ skew)


def fraction(rotation: np.ndarray, share: float) -> np.ndarray:
    """(..., 3, 3) the part of rotations: `share` of the angle about the same axis."""
    from scipy.spatial.transform import Rotation

    vectors = Rotation.from_matrix(rotation.reshape(-1, 3, 3)).as_rotvec()
    return Rotation.from_rotvec(share * vectors).as_matrix().reshape(rotation.shape)
