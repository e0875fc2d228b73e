"""Yaw, pitch and roll of a head or a torso, and the rotation that they make.

All in radians, for a camera with x right, y down, z forward. Yaw > 0: the nose points to the image's right. Pitch > 0:
the nose points down. Roll > 0: the crown leans to the image's right. The order is R = yaw @ pitch @ roll.
"""

import numpy as np


def rotation_of_angles(yaw_rad: np.ndarray, pitch_rad: np.ndarray, roll_rad: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations, head coordinates to camera space, of angles (...) each."""
    yaw, pitch, roll = np.broadcast_arrays(yaw_rad, pitch_rad, roll_rad)
    # About y (down) a positive right-handed turn carries the nose, at -z, to the left: hence the sign.
    return _about(1, -yaw) @ _about(0, pitch) @ _about(2, roll)


def angles_of_rotation(rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Yaw in (-pi, pi], pitch in [-pi/2, pi/2] and roll in (-pi, pi] of rotations (..., 3, 3)."""
    nose = -rotation[..., :, 2]
    yaw_rad = np.arctan2(nose[..., 0], -nose[..., 2])
    pitch_rad = np.arcsin(np.clip(nose[..., 1], -1, 1))
    roll_rad = np.arctan2(rotation[..., 1, 0], rotation[..., 1, 1])
    return yaw_rad, pitch_rad, roll_rad


def _about(axis: int, angle_rad: np.ndarray) -> np.ndarray:
    """Right-handed rotations about a coordinate axis."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.zeros((*np.shape(angle_rad), 3, 3))
    rotation[..., axis, axis] = 1
    rotation[..., a, a] = rotation[..., b, b] = np.cos(angle_rad)
    rotation[..., a, b], rotation[..., b, a] = -np.sin(angle_rad), np.sin(angle_rad)
    return rotation
