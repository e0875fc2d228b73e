"""The half-body crop that a full-body clip lends as an extra reference: head to hips, face large (paper 3.3)."""

from dataclasses import replace

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.visibility import SEEN

_TORSO = [joint_index(name) for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
# Shares of the height from the top of the head to the hips: air above the head, and a little more than the belt.
_ABOVE_HEAD, _BELOW_HIPS = 0.12, 0.05
# A crop narrower than this many shoulder widths would cut the arms off.
_SHOULDER_WIDTHS = 1.6


def half_body_frame(track: MotionTrack, near: int) -> int | None:
    """The frame nearest to `near` in which head and torso are seen, or None if there is none."""
    seen = (track.head_confidence >= SEEN) & (track.joint_confidence[:, _TORSO] >= SEEN).all(axis=1)
    candidates = np.flatnonzero(seen)
    if len(candidates) == 0:
        return None
    return int(candidates[np.abs(candidates - near).argmin()])


def half_body_crop(image: np.ndarray, track: MotionTrack, frame: int, aspect: float) -> np.ndarray:
    """A half-body portrait cut out of one frame's image, (h, w, 3) uint8, not resized; see `half_body_box_px`."""
    x0, y0, x1, y1 = half_body_box_px(track, frame, aspect)
    return image[y0:y1, x0:x1]


def half_body_box_px(track: MotionTrack, frame: int, aspect: float) -> tuple[int, int, int, int]:
    """Where to cut a half-body portrait out of one frame.

    Args:
        track: the clip's.
        frame: one in which head and torso are seen (`half_body_frame`).
        aspect: width over height of the crop.

    Returns:
        x0, y0, x1, y1 in whole pixels, inside the frame; as near to the aspect as whole pixels allow.
    """
    head_top_cam_m = track.head_center_cam_m[frame] - np.array([0, track.head_radius_m[frame], 0], dtype=np.float32)
    head_top_y_px = float(track.project(head_top_cam_m)[1])
    torso_px = track.project(track.joints_cam_m[frame, _TORSO])
    hips_y_px = float(torso_px[2:, 1].mean())
    torso_height_px = max(hips_y_px - head_top_y_px, 1.0)
    shoulder_width_px = float(abs(torso_px[0, 0] - torso_px[1, 0]))
    height_px = max(torso_height_px * (1 + _ABOVE_HEAD + _BELOW_HIPS), shoulder_width_px * _SHOULDER_WIDTHS / aspect)
    frame_width, frame_height = track.frame_size
    height_px = min(height_px, frame_height, frame_width / aspect)
    # Whoever bends to the side keeps the head in the picture.
    head_x_px = float(track.project(track.head_center_cam_m[frame])[0])
    radius_px = float(track.head_radius_m[frame] / track.head_center_cam_m[frame, 2] * track.focal_px)
    reach_px = max(height_px * aspect / 2 - radius_px, 0.0)
    center_x_px = float(np.clip(torso_px[:, 0].mean(), head_x_px - reach_px, head_x_px + reach_px))
    top_px = head_top_y_px - _ABOVE_HEAD * torso_height_px
    return _inside(center_x_px - height_px * aspect / 2, top_px, height_px * aspect, height_px, track.frame_size)


def half_body_track(track: MotionTrack, frame: int, size: tuple[int, int]) -> MotionTrack:
    """The pose of one frame as the half-body portrait shows it.

    Args:
        size: width and height that the portrait is scaled to.
    """
    x0_px, y0_px, x1_px, _ = half_body_box_px(track, frame, size[0] / size[1])
    corner_px, scale = np.array([x0_px, y0_px], dtype=np.float32), size[0] / (x1_px - x0_px)
    shown = track[frame : frame + 1]
    return replace(
        shown,
        focal_px=shown.focal_px * scale,
        principal_px=(shown.principal_px - corner_px) * scale,
        frame_size=size,
        face_boxes_px=(shown.face_boxes_px - np.tile(corner_px, 2)) * scale,
    )


def _inside(
    x0_px: float, y0_px: float, width_px: float, height_px: float, frame_size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """A box of that size moved into the frame and rounded to pixels."""
    width, height = max(1, round(width_px)), max(1, round(height_px))
    x0 = min(max(round(x0_px), 0), max(frame_size[0] - width, 0))
    y0 = min(max(round(y0_px), 0), max(frame_size[1] - height, 0))
    return x0, y0, min(x0 + width, frame_size[0]), min(y0 + height, frame_size[1])
