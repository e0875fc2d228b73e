"""Where the error of tracked bone directions comes from.

What counts: bones whose two ends the tracked input shows with the confidence from which they are drawn (`SEEN`), and
that lie in the frame in truth. What is seen worse is not drawn, so its direction reaches nobody; how much is left out
stands beside the figures. Truth tells what would remain if one source of error were gone:

* `in_picture`: the depths of truth with the tracker's angles in the picture. `in_depth`: the other way round.
* `without_common_turn`: every frame's torso and long limbs turned as one to fit truth best, which a wrong camera or a
  wrongly turned body would explain.
* `without_constants`: each bone of each clip without its mean error in camera space, more than any calibration of joint
  definitions on other people could do.

Legend: T video frames, B bones, N bones that count.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BODY_JOINTS, BONES, JOINT_NAMES
from dreamactor_signals.visibility import SEEN
from scipy.spatial.transform import Rotation

_GROUPS = {
    "torso": ("pelvis", "neck", "shoulder", "hip"),
    "upper_arm": ("elbow",),
    "forearm": ("wrist",),
    "thigh": ("knee",),
    "shin": ("ankle",),
    "foot": ("heel", "toe"),
}
_LONG = ("upper_arm", "forearm", "thigh", "shin")


def bones_m(track: MotionTrack) -> np.ndarray:
    """(T, B, 3)."""
    ends = track.joints_cam_m.astype(np.float64)[:, BONES]
    return np.asarray(ends[:, :, 1] - ends[:, :, 0])


def angles_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(...) angles between vectors (..., 3)."""
    across = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.asarray(np.degrees(np.arctan2(across, (one * other).sum(axis=-1))))


def direction_errors(result: MotionTrack, true: MotionTrack) -> dict[str, float]:
    """Mean angles in degrees between bones and the true ones, by group and by source; NaN where nothing is seen.

    Args:
        result: tracked, retargeted or not; its confidences are the tracker's.
        true: of the same frames.
    """
    ours, truth = _unit(bones_m(result)), _unit(bones_m(true))
    counts_TB = (result.joint_confidence[:, BONES] >= SEEN).all(axis=2) & (true.joint_confidence[:, BONES] > 0).all(2)
    groups = _groups()
    long_B = np.isin(groups, _LONG)
    errors = {name: _mean_deg(ours, truth, counts_TB & (groups == name)) for name in (*_GROUPS, "hands")}
    counted = counts_TB & long_B
    turned = _turned(ours, truth, counts_TB & (long_B | (groups == "torso")))
    in_frame = (true.joint_confidence[:, BONES] > 0).all(2) & long_B
    return errors | {
        "seen": _mean_deg(ours, truth, counted),
        "in_picture": _mean_deg(_mixed(ours, truth), truth, counted),
        "in_depth": _mean_deg(_mixed(truth, ours), truth, counted),
        "without_common_turn": _mean_deg(turned, truth, counted),
        "without_constants": _mean_deg(_without_constants(ours, truth, counted), truth, counted),
        "seen_share": float(counted.sum() / max(in_frame.sum(), 1)),
    }


def _groups() -> np.ndarray:
    """(B,) which group the joint at a bone's end belongs to."""
    of_part = {part: group for group, parts in _GROUPS.items() for part in parts}
    names = [JOINT_NAMES[end] for end in BONES[:, 1]]
    return np.array(
        [
            of_part[name.rpartition("_")[2]] if end < BODY_JOINTS.stop else "hands"
            for name, end in zip(names, BONES[:, 1], strict=True)
        ]
    )


def _mean_deg(ours: np.ndarray, truth: np.ndarray, counts_TB: np.ndarray) -> float:
    return float(angles_deg(ours, truth)[counts_TB].mean()) if counts_TB.any() else float("nan")


def _mixed(picture: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Unit vectors with one's angle in the picture and the other's depth."""
    across = np.linalg.norm(depth[..., :2], axis=-1, keepdims=True)
    return np.concatenate([_unit(picture[..., :2]) * across, depth[..., 2:]], axis=-1)


def _turned(ours: np.ndarray, truth: np.ndarray, counts_TB: np.ndarray) -> np.ndarray:
    turned = ours.copy()
    for frame, counts in enumerate(counts_TB):
        if counts.sum() >= 3:
            turn, _ = Rotation.align_vectors(truth[frame, counts], ours[frame, counts])
            turned[frame] = turn.apply(ours[frame])
    return turned


def _without_constants(ours: np.ndarray, truth: np.ndarray, counts_TB: np.ndarray) -> np.ndarray:
    weights = counts_TB[..., None]
    constant = ((ours - truth) * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1)
    return ours - constant


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
