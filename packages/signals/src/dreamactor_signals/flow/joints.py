"""Joints that are moved in the picture.

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
    joints_cam_m = track.joints_cam_m.astype(np.float64)
    shifts_m = shifts_px / track.focal_px * joints_cam_m[..., 2:]
    joints_cam_m[..., :2] += np.where(track.joint_confidence[..., None] > 0, shifts_m, 0)
    return replace(track, joints_cam_m=joints_cam_m)
