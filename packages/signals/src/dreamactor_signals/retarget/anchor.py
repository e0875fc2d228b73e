"""Where the retargeted person stands: at the reference's neck, moved as the driving person moves; on its ground if both
show their feet.

Legend: T video frames, J joints.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.retarget.rebuild import NECK
from dreamactor_signals.retarget.robust import bridge, median_point
from dreamactor_signals.visibility import SEEN

_GROUNDING = [joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "heel")]
_FEET = [*_GROUNDING, joint_index("left_toe"), joint_index("right_toe")]


@dataclass(frozen=True)
class Necks:
    """Where the necks are, or would be.

    Attributes:
        path_cam_m: (T, 3) of the driving person.
        home_cam_m: (3,) the middle of that path.
        reference_cam_m: (3,) the reference's.
    """

    path_cam_m: np.ndarray
    home_cam_m: np.ndarray
    reference_cam_m: np.ndarray

    def follow(self, scale: float) -> np.ndarray:
        """(T, 3) the retargeted neck: the reference's, displaced as the driving one, in proportion to the bodies."""
        return self.reference_cam_m + (self.path_cam_m - self.home_cam_m) * scale


def find_necks(driving: MotionTrack, reference: MotionTrack, scale: float) -> Necks:
    """The necks of both. A close-up that never shows a neck gets one below its head, as the other person has it.

    Args:
        scale: the reference's size over the driving person's.

    Raises:
        InputError: one shows no neck and they do not both show a head.
    """
    path, reference_path = _neck_path(driving), _neck_path(reference)
    weights, reference_weights = driving.joint_confidence[:, NECK], reference.joint_confidence[:, NECK]
    if path is None or reference_path is None:
        _require_heads(driving, reference)
    if path is None:
        path = _head_path(driving) + _head_to_neck(reference, reference_path) / scale
        weights = driving.head_confidence
    if reference_path is None:
        reference_path = _head_path(reference) + _head_to_neck(driving, _neck_path(driving)) * scale
        reference_weights = reference.head_confidence
    return Necks(path, median_point(path, weights), median_point(reference_path, reference_weights))


def is_grounded(track: MotionTrack) -> bool:
    """Whether ankles and heels of both feet are seen in most frames."""
    return float(np.median(track.joint_confidence[:, _GROUNDING].min(axis=1))) >= SEEN


def ground_shift_m(driving: MotionTrack, reference: MotionTrack, joints_cam_m: np.ndarray, scale: float) -> np.ndarray:
    """How far down the retargeted person must move so that its feet meet the reference's ground.

    The lowest point of the feet keeps its height over the ground, in proportion: steps stay steps and jumps jumps.

    Args:
        joints_cam_m: (T, J, 3), retargeted.
        scale: the reference's legs over the driving person's.

    Returns:
        (T,) metres along the camera's y.
    """
    has_feet = _has_feet(driving)
    lowest_m = _lowest_foot_m(driving.joints_cam_m, driving)
    ground_m = np.median(_lowest_foot_m(reference.joints_cam_m, reference)[_has_feet(reference)])
    wanted_m = ground_m + (lowest_m - np.median(lowest_m[has_feet])) * scale
    shift_m = wanted_m - _lowest_foot_m(joints_cam_m, driving)
    return bridge(shift_m[:, None], has_feet)[:, 0]


def _has_feet(track: MotionTrack) -> np.ndarray:
    """(T,) bool."""
    return np.asarray((track.joint_confidence[:, _FEET] > 0).any(axis=1))


def _lowest_foot_m(joints_cam_m: np.ndarray, track: MotionTrack) -> np.ndarray:
    """(T,) greatest y of the feet that are there; meaningless in frames without any."""
    heights_m = joints_cam_m[:, _FEET, 1].astype(np.float64)
    lowest_m = np.where(track.joint_confidence[:, _FEET] > 0, heights_m, -np.inf).max(axis=1)
    return np.where(np.isfinite(lowest_m), lowest_m, 0.0)


def _neck_path(track: MotionTrack) -> np.ndarray | None:
    """(T, 3), bridged: under the head where that is seen, else by straight lines. None if no frame shows a neck."""
    present = track.joint_confidence[:, NECK] > 0
    if not present.any():
        return None
    neck_cam_m = track.joints_cam_m[:, NECK].astype(np.float64)
    path = bridge(neck_cam_m, present)
    head_present = track.head_confidence > 0
    both = present & head_present
    if both.any():
        under_head = track.head_center_cam_m + bridge(neck_cam_m - track.head_center_cam_m, both)
        path = np.where((head_present & ~present)[:, None], under_head, path)
    return path


def _head_path(track: MotionTrack) -> np.ndarray:
    return bridge(track.head_center_cam_m.astype(np.float64), track.head_confidence > 0)


def _head_to_neck(track: MotionTrack, neck_path: np.ndarray | None) -> np.ndarray:
    """(3,) the usual way from head to neck; 0 where neither person shows a neck and the head itself is the anchor."""
    if neck_path is None:
        return np.zeros(3)
    return median_point(neck_path - _head_path(track), track.head_confidence)


def _require_heads(driving: MotionTrack, reference: MotionTrack) -> None:
    for name, track in (("driving", driving), ("reference", reference)):
        if not (track.head_confidence > 0).any():
            raise InputError(
                f"the {name} shows no head, and not both show their shoulders: nothing tells where the motion belongs",
                remedy="Use a driving clip and a reference that both show the head or both show the shoulders",
            )
