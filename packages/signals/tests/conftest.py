"""A synthetic person to draw, retarget and look at from all sides."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_NAMES
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.warp.layer import Layer

# Facing the camera, pelvis at the origin, x right, y down, z away: the person's left is at the right. Metres.
_LEFT_SIDE = {
    "shoulder": (0.18, -0.50, 0.0),
    "elbow": (0.25, -0.23, 0.03),
    "wrist": (0.27, 0.00, -0.07),
    "hip": (0.10, 0.00, 0.0),
    "knee": (0.11, 0.42, -0.02),
    "ankle": (0.11, 0.84, 0.03),
    "heel": (0.11, 0.90, 0.07),
    "toe": (0.13, 0.90, -0.14),
}
_FINGERS = {"thumb": -2, "index": -1, "middle": 0, "ring": 1, "pinky": 2}
HEAD_CENTER_M, HEAD_RADIUS_M = np.array([0.0, -0.70, -0.01]), 0.105


def _left(part: str) -> np.ndarray:
    finger, _, knuckle = part.partition("_")
    if finger in _FINGERS:
        along = 0.06 + 0.025 * (int(knuckle) - 1)
        return np.add(_LEFT_SIDE["wrist"], (0.005, along, 0.02 * _FINGERS[finger]))
    return np.array(_LEFT_SIDE[part])


def _joint(name: str) -> np.ndarray:
    if name in ("pelvis", "neck"):
        return np.array([0.0, 0.0 if name == "pelvis" else -0.50, 0.0])
    side, _, part = name.partition("_")
    return _left(part) * ([1, 1, 1] if side == "left" else [-1, 1, 1])


BODY_M = np.stack([_joint(name) for name in JOINT_NAMES])


def standing_person(
    yaw_rad: np.ndarray | float = 0.0,
    *,
    pitch_rad: np.ndarray | float = 0.0,
    roll_rad: np.ndarray | float = 0.0,
    at_m: np.ndarray | tuple[float, float, float] = (0.0, 0.0, 3.0),
    body_m: np.ndarray = BODY_M,
    size: float = 1.0,
    focal_px: float = 500.0,
    frame_size: tuple[int, int] = (480, 640),
) -> MotionTrack:
    """People who turn as a whole by yaw; pitch and roll are the head's alone. Angles and `at_m` may have a frame axis.

    Args:
        at_m: (3,) or (T, 3) camera-space position of the pelvis.
        body_m: (J, 3) joints of the person facing the camera.
        size: of everything about the pelvis.
    """
    place = np.atleast_2d(at_m)
    yaw, pitch, roll, _ = np.broadcast_arrays(*map(np.atleast_1d, (yaw_rad, pitch_rad, roll_rad)), place[:, 0])
    turn = rotation_of_angles(yaw, np.zeros_like(yaw), np.zeros_like(yaw))
    place = np.broadcast_to(place, (len(yaw), 3))
    frames = len(yaw)
    center = place + size * np.einsum("tij,j->ti", turn, HEAD_CENTER_M)
    radius_px = focal_px * size * HEAD_RADIUS_M / center[:, 2:]
    center_px = center[:, :2] / center[:, 2:] * focal_px + np.array(frame_size) / 2
    return MotionTrack(
        joints_cam_m=place[:, None] + size * np.einsum("tij,kj->tki", turn, body_m),
        joint_confidence=np.ones((frames, len(JOINT_NAMES))),
        focal_px=focal_px,
        principal_px=np.array(frame_size) / 2,
        frame_size=frame_size,
        fps=Fraction(30000, 1001),
        head_rotation=rotation_of_angles(yaw, pitch, roll),
        head_center_cam_m=center,
        head_radius_m=np.full(frames, size * HEAD_RADIUS_M),
        head_confidence=np.ones(frames),
        face_boxes_px=np.concatenate([center_px - radius_px, center_px + radius_px], axis=1),
        face_confidence=np.ones(frames),
    )


@pytest.fixture(scope="session")
def person() -> Callable[..., MotionTrack]:
    """The function `standing_person`."""
    return standing_person


@pytest.fixture(scope="session")
def body_m() -> np.ndarray:
    """(J, 3) joints of the standing person."""
    return BODY_M.copy()


@pytest.fixture
def alone(request: pytest.FixtureRequest) -> Callable[[Layer], np.ndarray]:
    """Of a layer, what a frame of nothing else shows: (SIDE, SIDE, 4), of the side that the test's module has."""

    def shown(layer: Layer) -> np.ndarray:
        canvas_HW4 = np.zeros((request.module.SIDE, request.module.SIDE, 4), np.float32)
        layer.lay_over(canvas_HW4)
        return canvas_HW4

    return shown
