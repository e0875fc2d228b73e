"""How much of a person a clip shows: portrait, half or full body (paper 4.1)."""

from typing import Literal

from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.visibility import SEEN

Framing = Literal["portrait", "half", "full"]

_HIPS = [joint_index("left_hip"), joint_index("right_hip")]
_ANKLES = [joint_index("left_ankle"), joint_index("right_ankle")]


def framing(track: MotionTrack) -> Framing:
    """How much of the person most frames show: down to the ankles (full), to the hips (half), or less (portrait)."""
    if _mostly_shown(track, _ANKLES):
        return "full"
    return "half" if _mostly_shown(track, _HIPS) else "portrait"


def _mostly_shown(track: MotionTrack, joints: list[int]) -> bool:
    """Whether at least one joint of a pair is seen inside the frame in half of the frames or more."""
    points_cam_m = track.joints_cam_m[:, joints]
    points_px = track.project(points_cam_m)
    inside = ((points_px >= 0) & (points_px < track.frame_size)).all(axis=-1) & (points_cam_m[..., 2] > 0)
    shown = inside & (track.joint_confidence[:, joints] >= SEEN)
    return float(shown.any(axis=1).mean()) >= 0.5
