"""Face boxes that go where the head went.

Legend: T video frames.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack


def follow_heads(driving: MotionTrack, center_cam_m: np.ndarray, radius_m: np.ndarray, to: MotionTrack) -> np.ndarray:
    """The driving face boxes, as they lie about the driving head, about another head.

    For the retargeted picture; face crops are still cut from the driving video by the driving track's own boxes.

    Args:
        center_cam_m, radius_m: (T, 3) and (T,) of the other head.
        to: whose camera shows it.

    Returns:
        (T, 4) pixels; zeros where there is no box or no head.
    """
    there = (driving.head_confidence > 0) & (driving.face_confidence > 0)
    there &= (driving.head_center_cam_m[:, 2] > 0) & (center_cam_m[:, 2] > 0)
    depth_m, new_depth_m = (
        np.where(there, depths, 1.0) for depths in (driving.head_center_cam_m[:, 2], center_cam_m[:, 2])
    )
    size_px = driving.focal_px * driving.head_radius_m / depth_m
    new_size_px = to.focal_px * radius_m / new_depth_m
    growth = new_size_px / np.where(size_px > 0, size_px, 1.0)
    corners_px = driving.face_boxes_px.reshape(-1, 2, 2) - driving.project(driving.head_center_cam_m)[:, None]
    boxes_px = to.project(center_cam_m)[:, None] + corners_px * growth[:, None, None]
    return np.where(there[:, None], boxes_px.reshape(-1, 4), 0.0)
