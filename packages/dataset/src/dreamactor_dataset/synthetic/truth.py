"""The truth of a synthetic clip: what a perfect tracker would have found.

Legend: T frames, J joints, U face units.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.posing import BonePose, posed_joints_m, posed_skull
from dreamactor_dataset.synthetic.render.camera import BODY_TO_CAMERA, Camera

_NEAR_M = 0.05
# Cosine of the angle between nose and camera at which a face is lost, and from which it is wholly seen.
_FACE_LOST, _FACE_SEEN = 0.0, 0.35


def true_track(
    figure: Figure,
    pose: BonePose,
    cameras: Sequence[Camera],
    units: np.ndarray,
    face_px: np.ndarray,
    fps: Fraction,
    version: str,
    source_sha256: str,
) -> MotionTrack:
    """The exact track of a clip.

    Args:
        cameras: of each frame, T in all, of one focal length and size.
        units: (T, U) face units that were drawn.
        face_px: (T, F, 2) pixels of the vertices that span the face.
        version: of what made the clip.
        source_sha256: of its video.
    """
    camera = cameras[0]
    rotation, center_m = posed_skull(figure, pose)
    joints_cam_m = _seen(cameras, posed_joints_m(figure, pose))
    center_cam_m = _seen(cameras, center_m)
    head_rotation = np.stack([one.rotation for one in cameras]) @ rotation @ BODY_TO_CAMERA.T
    boxes_px = np.concatenate([face_px.min(axis=1), face_px.max(axis=1)], axis=1)
    frame_count = len(joints_cam_m)
    return MotionTrack(
        joints_cam_m=joints_cam_m,
        joint_confidence=_in_frame(joints_cam_m, camera),
        focal_px=camera.focal_px,
        principal_px=camera.principal_px,
        frame_size=camera.size,
        fps=fps,
        head_rotation=head_rotation,
        head_center_cam_m=center_cam_m,
        head_radius_m=np.full(frame_count, figure.skull_radius_m),
        head_confidence=_in_frame(center_cam_m, camera),
        face_boxes_px=boxes_px,
        face_confidence=_face_confidence(head_rotation, center_cam_m, boxes_px, camera),
        trackers={"truth": version},
        source_sha256=source_sha256,
        face_units=units,
    )


def _seen(cameras: Sequence[Camera], points_m: np.ndarray) -> np.ndarray:
    """(T, ..., 3) points of each frame, body axes, in the space of its camera."""
    return np.stack([camera.to_camera(points) for camera, points in zip(cameras, points_m, strict=True)])


def _in_frame(points_cam_m: np.ndarray, camera: Camera) -> np.ndarray:
    """(...) 1 where a point falls inside the frame, before the camera; else 0."""
    before = points_cam_m[..., 2] > _NEAR_M
    pixels = camera.to_pixels(np.where(before[..., None], points_cam_m, 1.0))
    inside = ((pixels >= 0) & (pixels < camera.size)).all(axis=-1)
    return (before & inside).astype(np.float32)


def _face_confidence(
    head_rotation: np.ndarray, center_cam_m: np.ndarray, boxes_px: np.ndarray, camera: Camera
) -> np.ndarray:
    """(T,) 1 for a face that looks our way and lies in the frame, 0 for the back of a head."""
    nose = -head_rotation[:, :, 2]
    toward_camera = -center_cam_m / np.linalg.norm(center_cam_m, axis=1, keepdims=True)
    facing = (nose * toward_camera).sum(axis=1)
    seen = np.clip((facing - _FACE_LOST) / (_FACE_SEEN - _FACE_LOST), 0, 1)
    low, high = np.clip(boxes_px[:, :2], 0, camera.size), np.clip(boxes_px[:, 2:], 0, camera.size)
    shown = np.prod(high - low, axis=1) / np.maximum(np.prod(boxes_px[:, 2:] - boxes_px[:, :2], axis=1), 1e-6)
    return np.clip(seen * shown, 0, 1)
