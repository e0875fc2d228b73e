"""Captured human motion from the pybullet wheel (files read only), as performances.

Each frame of a file: duration, root place (3), then rotations: quaternions (w, x, y, z) of ball joints, angles of
hinges. Its axes are x forward, y up, z to the right. Legend: T frames.
"""

import json
from functools import cache

import numpy as np
from dreamactor_core.errors import InputError
from scipy.spatial.transform import Rotation, Slerp

from dreamactor_dataset.synthetic.motion.captures import mocap_folder
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rotations import about

# Joint -> width in the file: 4 a quaternion, 1 a hinge about z.
_LAYOUT: tuple[tuple[str, int], ...] = (
    ("root", 4),
    ("chest", 4),
    ("neck", 4),
    ("right_hip", 4),
    ("right_knee", 1),
    ("right_ankle", 4),
    ("right_shoulder", 4),
    ("right_elbow", 1),
    ("left_hip", 4),
    ("left_knee", 1),
    ("left_ankle", 4),
    ("left_shoulder", 4),
    ("left_elbow", 1),
)
_ROW = 4 + sum(width for _, width in _LAYOUT)
# The captured skeleton's thigh and shin.
_LEG_M = 0.831
# Rows: body axes (left, up, forward) in the file's axes.
_TO_BODY = np.array(((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))


@cache
def _read(name: str) -> tuple[np.ndarray, bool]:
    """Rows of a motion file and whether it may be repeated."""
    path = mocap_folder() / f"humanoid3d_{name}.txt"
    try:
        content = json.loads(path.read_text())
        rows = np.array(content["Frames"], dtype=np.float64)
        loops = content["Loop"] == "wrap"
    except (OSError, ValueError, KeyError) as problem:
        raise InputError(f"not a motion file ({problem})", path=path) from problem
    if rows.ndim != 2 or rows.shape[1] != _ROW:
        raise InputError(f"a motion frame has {_ROW} numbers, not {rows.shape[-1]}", path=path)
    return rows, loops


def perform(name: str, frame_count: int, fps: float, start_s: float) -> Performance:
    """A captured motion at our frame rate.

    Args:
        name: such as "walk"; the file is humanoid3d_NAME.txt.
        frame_count: T.
        fps: frames a second.
        start_s: where in it to start; it runs round if it is a loop, and to and fro if not.

    Raises:
        InputError: the wheel is not installed, or no such motion.
    """
    rows, loops = _read(name)
    starts_s = np.concatenate([[0], np.cumsum(rows[:-1, 0])])
    length_s = starts_s[-1]
    asked_s = start_s + np.arange(frame_count) / fps
    laps = np.floor(asked_s / length_s)
    inside_s = asked_s - laps * length_s
    if not loops:
        inside_s = np.where(laps % 2 == 1, length_s - inside_s, inside_s)
    performance = Performance(frame_count)
    performance.root_legs = _root(rows, starts_s, inside_s, laps if loops else np.zeros(frame_count))
    column = 4
    for joint, width in _LAYOUT:
        performance.rotations[joint] = _joint(rows[:, column : column + width], starts_s, inside_s)
        column += width
    return performance


def _root(rows: np.ndarray, starts_s: np.ndarray, inside_s: np.ndarray, laps: np.ndarray) -> np.ndarray:
    """(T, 3) place of the pelvis in leg lengths, height from the ground; each lap goes on where the last one ended."""
    place_m = np.stack([np.interp(inside_s, starts_s, rows[:, 1 + axis]) for axis in range(3)], axis=1)
    lap_m = (rows[-1, 1:4] - rows[0, 1:4]) * (1, 0, 1)
    return (place_m + laps[:, None] * lap_m) @ _TO_BODY.T / _LEG_M


def _joint(values: np.ndarray, starts_s: np.ndarray, inside_s: np.ndarray) -> np.ndarray:
    """(T, 3, 3) in body axes."""
    if values.shape[1] == 1:
        # The file's z is the body's minus x.
        return about(0, -np.interp(inside_s, starts_s, values[:, 0]))
    turns = Slerp(starts_s, Rotation.from_quat(values[:, [1, 2, 3, 0]]))(inside_s)
    return _TO_BODY @ turns.as_matrix() @ _TO_BODY.T
