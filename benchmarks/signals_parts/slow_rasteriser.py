"""The control maps by their definitions: every pixel's distance to every bone, every pixel's normal on the sphere.

What the fast drawers must equal within one grey level. Bones are laid over each other in whole grey levels, as the maps
are stored.

Legend: B bones, H W pixels.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BODY_JOINTS, BONE_COLOURS, BONES
from dreamactor_signals.draw.canvas import NEAR_M, Canvas
from dreamactor_signals.visibility import SEEN


def slow_skeleton(track: MotionTrack, canvas: Canvas) -> np.ndarray:
    """(3, H, W) int of the first frame's bones, the farthest first."""
    joints_cam_m = track.joints_cam_m[0].astype(np.float64)
    joints_px = canvas.project(track, joints_cam_m)
    confidence_B = track.joint_confidence[0][BONES].min(axis=1)
    shorter = canvas.shorter_side()
    half_widths_B = np.where(BONES[:, 1] < BODY_JOINTS.stop, max(shorter / 160, 0.75), max(shorter / 400, 0.5))
    picture = np.zeros((canvas.size[1], canvas.size[0], 3))
    for bone in np.argsort(-joints_cam_m[BONES, 2].sum(axis=1), kind="stable"):
        if confidence_B[bone] < SEEN or joints_cam_m[BONES[bone], 2].min() <= NEAR_M:
            continue
        start, end = joints_px[BONES[bone]]
        coverage = np.clip(half_widths_B[bone] + 0.5 - _distance_to_segment(canvas, start, end), 0, 1)
        picture = _lay_over(picture, coverage, BONE_COLOURS[bone] * float(confidence_B[bone]))
    return picture.astype(int).transpose(2, 0, 1)


def slow_sphere(track: MotionTrack, canvas: Canvas) -> np.ndarray:
    """(3, H, W) int of the first frame's head sphere."""
    picture = np.zeros((canvas.size[1], canvas.size[0], 3))
    depth_m = float(track.head_center_cam_m[0, 2])
    if track.head_confidence[0] < SEEN or depth_m <= NEAR_M:
        return picture.astype(int).transpose(2, 0, 1)
    center_px = canvas.project(track, track.head_center_cam_m[0].astype(np.float64))
    radius_px = float(np.sqrt(canvas.scale.prod())) * track.focal_px * float(track.head_radius_m[0]) / depth_m
    offset = _pixel_centers(canvas) - center_px
    distance = np.linalg.norm(offset, axis=-1)
    flat = offset / np.maximum(distance, radius_px)[..., None]
    toward = -np.sqrt(np.clip(1 - (flat**2).sum(axis=-1), 0, None))
    normal_cam = np.concatenate([flat, toward[..., None]], axis=-1)
    colour = (normal_cam @ track.head_rotation[0] * 0.5 + 0.5) * 255 * track.head_confidence[0]
    picture = _lay_over(picture, np.clip(radius_px + 0.5 - distance, 0, 1), colour)
    return picture.astype(int).transpose(2, 0, 1)


def _pixel_centers(canvas: Canvas) -> np.ndarray:
    """(H, W, 2) x, y."""
    y, x = np.mgrid[: canvas.size[1], : canvas.size[0]] + 0.5
    return np.stack([x, y], axis=-1)


def _distance_to_segment(canvas: Canvas, start_px: np.ndarray, end_px: np.ndarray) -> np.ndarray:
    """(H, W)."""
    along = end_px - start_px
    from_start = _pixel_centers(canvas) - start_px
    share = np.clip(from_start @ along / max(float(along @ along), 1e-300), 0, 1)
    return np.linalg.norm(from_start - share[..., None] * along, axis=-1)


def _lay_over(picture: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.floor(picture + coverage[..., None] * (colour - picture) + 0.5)
