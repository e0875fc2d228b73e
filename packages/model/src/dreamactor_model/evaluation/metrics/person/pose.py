"""Whether the body is where the driving body is: joints of the result against joints of the performance.

Legend: T video frames, J joints.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, LEFT_HAND_JOINTS, joint_index
from dreamactor_signals.visibility import SEEN

# Pelvis and neck are midpoints of joints that are counted themselves.
BODY = slice(joint_index("left_shoulder"), LEFT_HAND_JOINTS.start)
HANDS = slice(LEFT_HAND_JOINTS.start, JOINT_COUNT)
NEAR_TORSO = 0.2
# Where no hip is in the picture: how much longer than the shoulders are wide an adult's torso is.
_TORSO_PER_SHOULDERS = 1.4
_SEEN = f"confidence of at least {SEEN}"
_SCALE = (
    "distances in pixels over the length of the driving torso (neck to pelvis, in 3-D, at its distance from the "
    f"camera; {_TORSO_PER_SHOULDERS} shoulder widths where no hip is in the picture)"
)
ERROR_PROTOCOL = (
    f"16 body joints that a tracker finds in the result against the driving track, both with a {_SEEN} and the driving "
    f"joint inside the picture; {_SCALE}; mean over joints and frames; read it beside pose_found: what is not found is "
    "not in it"
)
HANDS_PROTOCOL = f"as pose_error, of the 40 finger joints; {_SCALE}"
FOUND_PROTOCOL = (
    f"share of the driving track's 16 body joints (inside the picture, {_SEEN}) that the tracker finds in the result "
    f"({_SEEN}), over all frames; 0 where it finds nobody"
)
NEAR_PROTOCOL = (
    f"share of the same joints that are found within {NEAR_TORSO} torso lengths of the driving joint; what is not "
    "found counts as wrong"
)


@dataclass(frozen=True)
class Pose:
    """How a result's joints lie. None: there is nothing to compare.

    Attributes:
        error_torso: mean distance, in torso lengths.
        near: share of the driving joints that are found nearby.
        found: share of them that are found at all.
    """

    error_torso: float | None
    near: float | None
    found: float | None


def compare_pose(result: MotionTrack | None, driving: MotionTrack, joints: slice = BODY) -> Pose:
    """Hold what was found in a result against what drove it, both in the pixels of the result.

    Args:
        result: None where nobody was found.
        driving: T frames, like the result.
        joints: that are compared.
    """
    torso_px_T = torso_px(driving)
    driving_TJ2 = driving.project(driving.joints_cam_m[:, joints])
    wanted_TJ = (driving.joint_confidence[:, joints] >= SEEN) & _inside(driving_TJ2, driving.frame_size)
    wanted_TJ &= (torso_px_T > 0)[:, None]
    if not wanted_TJ.any():
        return Pose(None, None, None)
    if result is None:
        return Pose(None, 0.0, 0.0)
    found_TJ = wanted_TJ & (result.joint_confidence[:, joints] >= SEEN)
    distance_TJ = np.linalg.norm(result.project(result.joints_cam_m[:, joints]) - driving_TJ2, axis=-1)
    error_TJ = distance_TJ / np.where(torso_px_T > 0, torso_px_T, 1)[:, None]
    return Pose(
        error_torso=float(error_TJ[found_TJ].mean()) if found_TJ.any() else None,
        near=float((found_TJ & (error_TJ <= NEAR_TORSO)).sum() / wanted_TJ.sum()),
        found=float(found_TJ.sum() / wanted_TJ.sum()),
    )


def torso_px(track: MotionTrack) -> np.ndarray:
    """(T,) length of the torso as it would look upright to the camera; 0 where the shoulders are not seen."""
    neck, pelvis, left, right = (joint_index(name) for name in ("neck", "pelvis", "left_shoulder", "right_shoulder"))
    joints, confidence = track.joints_cam_m.astype(np.float64), track.joint_confidence
    here_T = confidence[:, [left, right]].min(axis=1) >= SEEN
    whole_T = here_T & (confidence[:, pelvis] >= SEEN)
    if whole_T.any():
        length_m = np.median(np.linalg.norm(joints[whole_T, neck] - joints[whole_T, pelvis], axis=-1))
    elif here_T.any():
        shoulders_m = np.linalg.norm(joints[here_T, left] - joints[here_T, right], axis=-1)
        length_m = _TORSO_PER_SHOULDERS * np.median(shoulders_m)
    else:
        return np.zeros(len(track))
    depth_m = (joints[:, left, 2] + joints[:, right, 2]) / 2
    return np.where(here_T & (depth_m > 0), length_m * track.focal_px / np.where(depth_m > 0, depth_m, 1), 0.0)


def _inside(points_px: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    return np.asarray(((points_px >= 0) & (points_px < np.array(frame_size))).all(axis=-1))
