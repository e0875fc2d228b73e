"""The skeleton map (paper 3.2): 3-D joints projected, bones drawn as anti-aliased lines from far to near.

Colour tells the bone, brightness the confidence of its less certain end. The face is not drawn: head spheres and face
tokens own it.

Legend: T video frames, B bones, H height, W width.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BODY_JOINTS, BONE_COLOURS, BONES

from dreamactor_signals.draw.canvas import NEAR_M, Canvas
from dreamactor_signals.draw.capsules import paint_capsule_frames
from dreamactor_signals.visibility import SEEN

# Half widths as shares of the canvas's shorter side, and the least that still shows on a small canvas.
_BODY_HALF_WIDTH, _HAND_HALF_WIDTH = 1 / 160, 1 / 400
_LEAST_BODY_PX, _LEAST_HAND_PX = 0.75, 0.5
_PARENTS, _CHILDREN = BONES[:, 0], BONES[:, 1]
_OF_BODY = BODY_JOINTS.stop > _CHILDREN


def draw_skeletons(planes_T3HW: np.ndarray, track: MotionTrack, canvas: Canvas, *, opacity: float = 1.0) -> None:
    """Draw the bones of every frame.

    A bone is left out when one of its ends is behind the camera or not seen.

    Args:
        planes_T3HW: (T, 3, H, W) uint8 of the canvas's size, changed in place.
        track: T frames.
        canvas: from `Canvas.of`.
        opacity: below 1, the pictures show through.
    """
    joints_cam_m = track.joints_cam_m
    joints_px = canvas.project(track, joints_cam_m)
    ends_TB4 = np.concatenate([joints_px[:, _PARENTS], joints_px[:, _CHILDREN]], axis=2)
    confidence_TB = np.minimum(track.joint_confidence[:, _PARENTS], track.joint_confidence[:, _CHILDREN])
    depth_TB2 = joints_cam_m[:, BONES, 2]
    drawn_TB = (confidence_TB >= SEEN) & (depth_TB2 > NEAR_M).all(axis=2)
    far_to_near_TB = np.argsort(-depth_TB2.sum(axis=2), axis=1, kind="stable")
    colours_TB3 = BONE_COLOURS * confidence_TB[..., None].astype(np.float64)
    half_widths_B = _half_widths_px(canvas.shorter_side())
    paint_capsule_frames(planes_T3HW, far_to_near_TB, drawn_TB, ends_TB4, colours_TB3, half_widths_B, opacity)


def _half_widths_px(shorter_side_px: int) -> np.ndarray:
    body = max(shorter_side_px * _BODY_HALF_WIDTH, _LEAST_BODY_PX)
    hand = max(shorter_side_px * _HAND_HALF_WIDTH, _LEAST_HAND_PX)
    return np.where(_OF_BODY, body, hand)
