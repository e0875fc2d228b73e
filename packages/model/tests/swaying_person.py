"""A made-up performance that tests of the model package share."""

from fractions import Fraction

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, joint_index

SIDE = 64


def person_track(frame_count: int, phase: float = 0.0) -> MotionTrack:
    """A made-up performance: all joints sway, the head turns, the face opens and closes."""
    random = np.random.default_rng(7)
    time = np.linspace(0, 2 * np.pi, frame_count) + phase
    joints_m = np.tile(np.array([0, 0, 4]) + random.uniform(-0.6, 0.6, (JOINT_COUNT, 3)), (frame_count, 1, 1))
    # A neck as long as bodies have it.
    joints_m[:, joint_index("neck")] = (0.0, -0.2, 4.0)
    joints_m[:, :, 0] += 0.2 * np.sin(time)[:, None]
    head_m = np.tile([0.0, -0.6, 4.0], (frame_count, 1))
    head_m[:, 0] = 0.2 * np.sin(time)
    focal_px, center_px = 2.0 * SIDE, np.array([SIDE / 2, SIDE / 2])
    face_px = head_m[:, :2] / 4 * focal_px + center_px
    return MotionTrack(
        joints_cam_m=joints_m,
        joint_confidence=np.ones((frame_count, JOINT_COUNT)),
        focal_px=focal_px,
        principal_px=center_px,
        frame_size=(SIDE, SIDE),
        fps=Fraction(25),
        head_rotation=np.tile(np.eye(3), (frame_count, 1, 1)),
        head_center_cam_m=head_m,
        head_radius_m=np.full(frame_count, 0.15),
        head_confidence=np.ones(frame_count),
        face_boxes_px=np.concatenate([face_px - 6, face_px + 6], axis=1),
        face_confidence=np.ones(frame_count),
        face_units=np.tile((np.sin(time)[:, None] + 1) / 2, (1, len(ARKIT_UNITS))),
    )
