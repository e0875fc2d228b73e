"""What a motion track tells of a clip's worth.

Legend: T video frames, J joints.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack

# Of the head's turning the widest and the narrowest moments may be slips of the tracker.
_YAW_PERCENTILES = (5, 95)


def seen_share(track: MotionTrack) -> float:
    """Share of the frames in which head or shoulders are seen."""
    from dreamactor_signals.views import head_yaw_rad

    return float((~np.isnan(head_yaw_rad(track))).mean())


def person_share(track: MotionTrack) -> float:
    """Median height of what is seen of the person inside the frame, of the frame's height."""
    from dreamactor_signals.visibility import SEEN

    height_px = track.frame_size[1]
    y_px = track.project(track.joints_cam_m)[..., 1].clip(0, height_px)
    seen = (track.joint_confidence >= SEEN) & (track.joints_cam_m[..., 2] > 0)
    head_px = track.project(track.head_center_cam_m)[:, 1]
    radius_px = track.head_radius_m * track.focal_px / np.maximum(track.head_center_cam_m[:, 2], 0.1)
    head_seen = track.head_confidence >= SEEN
    low = np.where(seen, y_px, np.inf).min(axis=1)
    high = np.where(seen, y_px, -np.inf).max(axis=1)
    low = np.where(head_seen, np.minimum(low, (head_px - radius_px).clip(0, height_px)), low)
    high = np.where(head_seen, np.maximum(high, (head_px + radius_px).clip(0, height_px)), high)
    there = np.isfinite(low) & np.isfinite(high)
    return float(np.median(high[there] - low[there]) / height_px) if there.any() else 0.0


def face_height_px(track: MotionTrack) -> float | None:
    """Median height of the face; None where none is seen."""
    from dreamactor_signals.visibility import SEEN

    seen = track.face_confidence >= SEEN
    heights_px = track.face_boxes_px[seen, 3] - track.face_boxes_px[seen, 1]
    return float(np.median(heights_px)) if seen.any() else None


def occlusion(track: MotionTrack) -> float | None:
    """Mean share of the face that something hides, where a face is seen; None where nobody looked."""
    from dreamactor_signals.visibility import SEEN

    seen = track.face_confidence >= SEEN
    return None if track.face_occlusion is None or not seen.any() else float(track.face_occlusion[seen].mean())


def motion_m_s(track: MotionTrack) -> float | None:
    """Mean speed across the picture of all joints that are seen, and of the nose, which turns with the head.

    Depth is left out, for it trembles most. None where nothing is seen in two frames in a row.
    """
    from dreamactor_signals.visibility import SEEN

    nose_m = track.head_center_cam_m - track.head_rotation[:, :, 2] * track.head_radius_m[:, None]
    points_m = np.concatenate([track.joints_cam_m, nose_m[:, None]], axis=1)[..., :2]
    seen = np.concatenate([track.joint_confidence, track.head_confidence[:, None]], axis=1) >= SEEN
    both = seen[1:] & seen[:-1]
    steps_m = np.linalg.norm(np.diff(points_m, axis=0), axis=-1)
    return float(steps_m[both].mean() * track.fps) if both.any() else None


def yaw_range_deg(track: MotionTrack) -> float:
    """How far the head turns from side to side."""
    from dreamactor_signals.views import head_yaw_rad

    yaw_rad = head_yaw_rad(track)
    yaw_rad = np.unwrap(yaw_rad[~np.isnan(yaw_rad)])
    if not len(yaw_rad):
        return 0.0
    least, most = np.percentile(yaw_rad, _YAW_PERCENTILES)
    return float(np.degrees(most - least))


def person_box_px(track: MotionTrack, frame: int) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 of face or head and all seen joints in one frame; the whole frame where nobody is seen."""
    from dreamactor_signals.visibility import SEEN

    width, height = track.frame_size
    seen = (track.joint_confidence[frame] >= SEEN) & (track.joints_cam_m[frame, :, 2] > 0)
    points_px = track.project(track.joints_cam_m[frame])[seen].reshape(-1, 2)
    if track.face_confidence[frame] >= SEEN:
        points_px = np.concatenate([points_px, track.face_boxes_px[frame].reshape(2, 2)])
    if len(points_px) < 2:
        return 0, 0, width, height
    x0, y0 = np.floor(points_px.min(axis=0).clip(0, (width - 1, height - 1))).astype(int)
    x1, y1 = np.ceil(points_px.max(axis=0).clip(1, (width, height))).astype(int)
    return int(x0), int(y0), max(int(x1), int(x0) + 1), max(int(y1), int(y0) + 1)
