"""Where the loss counts more: faces and hands are small and are what people look at (design 5, Objective).

Legend: T = 4F - 3 video frames, F latent frames, J joints, H W latent rows and columns.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.training import ObjectiveSettings
from dreamactor_core.skeleton import LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS

LATENT_STRIDE = 4


def loss_weights(track: MotionTrack, spatial_stride: int, settings: ObjectiveSettings) -> np.ndarray:
    """(F, H, W) float32: 1, plus `face_weight` in face boxes, plus `hand_weight` in the boxes of hands.

    Args:
        track: T frames in pixels of the training frame.
        spatial_stride: pixels a latent.
    """
    width, height = (side // spatial_stride for side in track.frame_size)
    weights_THW = np.ones((len(track), height, width), dtype=np.float32)
    faces = np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
    _add(weights_THW, faces / spatial_stride, settings.face_weight)
    for hand in (LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS):
        _add(weights_THW, _hand_boxes_px(track, hand) / spatial_stride, settings.hand_weight)
    return _over_latent_frames(weights_THW)


def _hand_boxes_px(track: MotionTrack, hand: slice) -> np.ndarray:
    """(T, 4) boxes around a hand's joints, empty where it is not seen."""
    joints_px = track.project(track.joints_cam_m[:, hand])
    unseen = (track.joint_confidence[:, hand] <= 0).any(axis=1) | (track.joints_cam_m[:, hand, 2] <= 0).any(axis=1)
    boxes_px = np.concatenate([joints_px.min(axis=1), joints_px.max(axis=1)], axis=1)
    boxes_px[unseen] = 0
    return boxes_px


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
