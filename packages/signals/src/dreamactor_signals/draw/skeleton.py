"""The skeleton map (paper 3.2): 3-D joints projected, bones drawn as anti-aliased lines from far to near.

Colour tells the bone, brightness the confidence of its less certain end. The face is not drawn: head spheres and face
tokens own it.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BODY_JOINTS, BONE_COLOURS, BONES

from dreamactor_signals.draw.canvas import NEAR_M, Canvas
from dreamactor_signals.draw.capsules import paint_capsules
from dreamactor_signals.visibility import SEEN

# Half widths as shares of the canvas's shorter side, and the least that still shows on a small canvas.
_BODY_HALF_WIDTH, _HAND_HALF_WIDTH = 1 / 160, 1 / 400
_LEAST_BODY_PX, _LEAST_HAND_PX = 0.75, 0.5
_PARENTS, _CHILDREN = BONES[:, 0], BONES[:, 1]
_OF_BODY = BODY_JOINTS.stop > _CHILDREN


def draw_skeleton(image: np.ndarray, track: MotionTrack, frame: int, canvas: Canvas, *, opacity: float = 1.0) -> None:
    """Draw one frame's bones into an image.

    A bone is left out when one of its ends is behind the camera or not seen.

    Args:
        image: (H, W, 3) uint8 of the canvas's size, changed in place.
        track: T frames.
        frame: which of them.
        canvas: from `Canvas.of`.
        opacity: below 1, the image shows through.
    """
    joints_cam_m, confidence = track.joints_cam_m[frame], track.joint_confidence[frame]
    bone_confidence = np.minimum(confidence[_PARENTS], confidence[_CHILDREN])
    parent_depth_m, child_depth_m = joints_cam_m[_PARENTS, 2], joints_cam_m[_CHILDREN, 2]
    drawn = np.flatnonzero((bone_confidence >= SEEN) & (parent_depth_m > NEAR_M) & (child_depth_m > NEAR_M))
    far_to_near = np.argsort(-(parent_depth_m + child_depth_m)[drawn], kind="stable")
    bones = drawn[far_to_near]
    joints_px = canvas.project(track, joints_cam_m)
    ends_px = np.concatenate([joints_px[_PARENTS[bones]], joints_px[_CHILDREN[bones]]], axis=1)
    colours = BONE_COLOURS[bones] * bone_confidence[bones, None].astype(np.float64)
    paint_capsules(image, ends_px, colours, _half_widths_px(canvas.shorter_side())[bones], opacity)


def _half_widths_px(shorter_side_px: int) -> np.ndarray:
    body = max(shorter_side_px * _BODY_HALF_WIDTH, _LEAST_BODY_PX)
    hand = max(shorter_side_px * _HAND_HALF_WIDTH, _LEAST_HAND_PX)
    return np.where(_OF_BODY, body, hand)
