"""Where the loss counts more: people are what moves, their faces and hands are small (design 5, Objective).

Legend: T = 4F - 3 video frames, F latent frames, J joints, H W latent rows and columns.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.training import ObjectiveSettings
from dreamactor_core.skeleton import BODY_JOINTS, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS

LATENT_STRIDE = 4


def loss_weights(track: MotionTrack, spatial_stride: int, settings: ObjectiveSettings) -> np.ndarray:
    """(F, H, W) float32: 1, plus `face_weight` in face boxes, and `hand_weight` and `body_weight` in those of joints.

    Args:
        track: T frames in pixels of the training frame.
        spatial_stride: pixels a latent.
    """
    width, height = (side // spatial_stride for side in track.frame_size)
    weights_THW = np.ones((len(track), height, width), dtype=np.float32)
    faces = np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
    _add(weights_THW, faces / spatial_stride, settings.face_weight)
    for joints, weight in (
        (LEFT_HAND_JOINTS, settings.hand_weight),
        (RIGHT_HAND_JOINTS, settings.hand_weight),
        (BODY_JOINTS, settings.body_weight),
    ):
        _add(weights_THW, _boxes_px(track, joints) / spatial_stride, weight)
    return _over_latent_frames(weights_THW)


def _boxes_px(track: MotionTrack, joints: slice) -> np.ndarray:
    """(T, 4) boxes around those of some joints that are known, empty where none is."""
    joints_px = track.project(track.joints_cam_m[:, joints])
    known_TJ1 = ((track.joint_confidence[:, joints] > 0) & (track.joints_cam_m[:, joints, 2] > 0))[..., None]
    lowest = np.where(known_TJ1, joints_px, np.inf).min(axis=1)
    highest = np.where(known_TJ1, joints_px, -np.inf).max(axis=1)
    return np.where(known_TJ1.any(axis=1), np.concatenate([lowest, highest], axis=1), 0)


def _add(weights_THW: np.ndarray, boxes: np.ndarray, weight: float) -> None:
    """Raise the weight of every cell that a box (x0, y0, x1, y1 in cells) touches."""
    limits = np.array([weights_THW.shape[2], weights_THW.shape[1]] * 2)
    corners = np.clip(np.stack([*np.floor(boxes[:, :2].T), *np.ceil(boxes[:, 2:].T)], axis=1), 0, limits).astype(int)
    for frame_HW, (x0, y0, x1, y1) in zip(weights_THW, corners, strict=True):
        frame_HW[y0:y1, x0:x1] += weight


def _over_latent_frames(weights_THW: np.ndarray) -> np.ndarray:
    """The first latent covers one frame, every other one four: the largest weight among them."""
    first, rest = weights_THW[:1], weights_THW[1:]
    grouped = rest.reshape(-1, LATENT_STRIDE, *rest.shape[1:]).max(axis=1)
    return np.concatenate([first, grouped])
