"""A person who turns from side to side: the motion of the first pass of two-stage inference (paper 3.3).

Legend: T video frames, J joints.
"""

from dataclasses import replace

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.views.framing import framing
from dreamactor_signals.views.yaw import head_yaw_rad

_PELVIS, _NECK = joint_index("pelvis"), joint_index("neck")


def turning_views(person: MotionTrack, frame_count: int, yaw_rad: float) -> MotionTrack:
    """The person of one frame, turned about the vertical: front, one side, front, the other side, front.

    The yaw is a sine, so that the two extremes are as far from the front as each other and the median view is the
    front, however the person stands in the given frame. In half and full framing the whole person turns rigidly about
    the pelvis (the neck where the hips are not known); in portraits only the head does, about the neck (its own centre
    where that is not known).

    Args:
        person: one frame that shows head or shoulders.
        frame_count: T.
        yaw_rad: how far to each side, as `head_yaw_rad` measures it.

    Returns:
        T frames in the same camera. Face boxes keep their size and go with the head.

    Raises:
        InputError: neither head nor shoulders are seen.
    """
    own_yaw_rad = float(head_yaw_rad(person)[0])
    if np.isnan(own_yaw_rad):
        raise InputError(
            "neither head nor shoulders are seen, so there is nobody to turn",
            remedy="Give a reference that shows the head, or leave --two-stage away",
        )
    still = person[np.zeros(frame_count, dtype=np.int64)]
    turns_rad = _sweep_rad(frame_count, yaw_rad) - own_yaw_rad
    turn = rotation_of_angles(turns_rad, np.zeros(frame_count), np.zeros(frame_count))
    center_cam_m = _axis_cam_m(person)
    head_cam_m = _turned(still.head_center_cam_m[:, None], turn, center_cam_m)[:, 0]
    head_known = still.head_confidence > 0
    moved = replace(
        still,
        head_rotation=np.where(head_known[:, None, None], turn @ still.head_rotation, still.head_rotation),
        head_center_cam_m=np.where(head_known[:, None], head_cam_m, still.head_center_cam_m),
        face_boxes_px=_with_head(still, np.where(head_known[:, None], head_cam_m, still.head_center_cam_m)),
    )
    if framing(person) == "portrait":
        return moved
    joints_cam_m = _turned(still.joints_cam_m, turn, center_cam_m)
    return replace(moved, joints_cam_m=np.where(still.joint_confidence[..., None] > 0, joints_cam_m, 0.0))


def _sweep_rad(frame_count: int, yaw_rad: float) -> np.ndarray:
    """(T,) one period of a sine, beginning and ending at the front."""
    return np.asarray(yaw_rad * np.sin(np.linspace(0, 2 * np.pi, frame_count)))


def _axis_cam_m(person: MotionTrack) -> np.ndarray:
    """(3,) a point on the vertical axis about which the person, or the head of a portrait, turns."""
    known = person.joint_confidence[0] > 0
    if framing(person) != "portrait" and known[_PELVIS]:
        return np.asarray(person.joints_cam_m[0, _PELVIS])
    return np.asarray(person.joints_cam_m[0, _NECK] if known[_NECK] else person.head_center_cam_m[0])


def _turned(points_cam_m: np.ndarray, turn: np.ndarray, center_cam_m: np.ndarray) -> np.ndarray:
    """(T, N, 3) points turned about a centre by rotations (T, 3, 3)."""
    return np.asarray(center_cam_m + np.einsum("tij,tnj->tni", turn, points_cam_m - center_cam_m))


def _with_head(still: MotionTrack, head_cam_m: np.ndarray) -> np.ndarray:
    """(T, 4) face boxes shifted as the head's centre is in the picture."""
    shift_px = still.project(head_cam_m) - still.project(still.head_center_cam_m)
    shown = (still.face_confidence > 0) & (still.head_center_cam_m[:, 2] > 0) & (head_cam_m[:, 2] > 0)
    return np.asarray(still.face_boxes_px + np.where(shown[:, None], np.tile(shift_px, 2), 0.0))
