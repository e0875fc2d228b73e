"""How a person is turned to the camera: yaw per frame, and the views worth showing the model (paper 3.3).

Legend: T video frames.
"""

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.head_angles import angles_of_rotation
from dreamactor_signals.visibility import SEEN

_LEFT_SHOULDER, _RIGHT_SHOULDER = joint_index("left_shoulder"), joint_index("right_shoulder")


def head_angles_rad(track: MotionTrack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T,) yaw, pitch and roll of the head; 0 where it is not seen. Signs: `dreamactor_signals.head_angles`."""
    seen = track.head_confidence >= SEEN
    yaw_rad, pitch_rad, roll_rad = (np.where(seen, angle, 0.0) for angle in angles_of_rotation(track.head_rotation))
    return yaw_rad, pitch_rad, roll_rad


def torso_yaw_rad(track: MotionTrack) -> np.ndarray:
    """(T,) yaw of the chest by the line of the shoulders; meaningless where a shoulder is not seen."""
    to_left_m = track.joints_cam_m[:, _LEFT_SHOULDER] - track.joints_cam_m[:, _RIGHT_SHOULDER]
    # A chest that faces the camera has its own left at the image's right; turning to the right sends it away.
    return np.arctan2(to_left_m[:, 2], to_left_m[:, 0])


def head_yaw_rad(track: MotionTrack) -> np.ndarray:
    """(T,) yaw of the head, of the torso where the head is not seen, NaN where neither is. Right is positive."""
    yaw_rad = np.full(len(track), np.nan)
    torso_seen = track.joint_confidence[:, [_LEFT_SHOULDER, _RIGHT_SHOULDER]].min(axis=1) >= SEEN
    yaw_rad[torso_seen] = torso_yaw_rad(track)[torso_seen]
    head_seen = track.head_confidence >= SEEN
    yaw_rad[head_seen] = head_angles_rad(track)[0][head_seen]
    return yaw_rad


def pick_views(track: MotionTrack) -> np.ndarray:
    """The frames that show a person from the most different sides (paper 3.3).

    Returns:
        (3,) int64 frames of greatest, least and median yaw among those in which head or torso are seen; distinct as
        long as there are three such frames, else the last ones repeat.

    Raises:
        InputError: the person is seen in no frame.
    """
    return pick_yaws(head_yaw_rad(track))


def pick_yaws(yaw_rad: np.ndarray) -> np.ndarray:
    """`pick_views` of yaws that are known already, (T,) with NaN where the person is not seen."""
    seen = np.flatnonzero(~np.isnan(yaw_rad))
    if len(seen) == 0:
        raise InputError("neither head nor shoulders are seen in any frame", remedy="Choose a clip that shows a person")
    by_yaw = seen[np.argsort(yaw_rad[seen], kind="stable")]
    return np.array([by_yaw[-1], by_yaw[0], by_yaw[(len(by_yaw) - 1) // 2]], dtype=np.int64)


def pick_complement(yaw_rad: np.ndarray, own_yaw_rad: float, count: int) -> np.ndarray:
    """Of the views that `pick_yaws` chooses, those that differ most from one that is there already.

    Args:
        yaw_rad: (T,), NaN where the person is not seen.
        own_yaw_rad: of the view that is there; NaN is taken for the front.
        count: how many at most.

    Returns:
        (count,) frames or fewer, the most different first, no frame twice.
    """
    picked = list(dict.fromkeys(pick_yaws(yaw_rad).tolist()))
    distance_rad = np.abs(yaw_rad[picked] - np.nan_to_num(own_yaw_rad))
    order = np.argsort(-distance_rad, kind="stable")[:count]
    return np.array(picked, dtype=np.int64)[order]
