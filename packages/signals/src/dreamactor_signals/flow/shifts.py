"""Points that are moved in the picture, at the depths that they had.

Legend: T video frames, J joints.
"""

from dataclasses import replace

import numpy as np
from dreamactor_core.motion_track import MotionTrack


def shifted(track: MotionTrack, shifts_px: np.ndarray) -> MotionTrack:
    """The track with its known joints elsewhere, at the depths that they had.

    Args:
        shifts_px: (T, J, 2) in the picture.
    """
    known_px = np.where(track.joint_confidence[..., None] > 0, shifts_px, 0)
    return replace(track, joints_cam_m=moved_points(track.joints_cam_m, known_px, track.focal_px))


def moved_points(points_cam_m: np.ndarray, shifts_px: np.ndarray, focal_px: float) -> np.ndarray:
    """(..., 3) float64 points in camera space, metres, that are seen elsewhere.

    Args:
        points_cam_m: (..., 3).
        shifts_px: (..., 2) in the picture.
        focal_px: of the camera.
    """
    moved_cam_m = points_cam_m.astype(np.float64)
    moved_cam_m[..., :2] += shifts_px / focal_px * moved_cam_m[..., 2:]
    return moved_cam_m
