"""A trunk that goes with its clothes: what a tracker says of it, averaged along the picture's own motion.

Networks place a trunk anew in every frame, in a portrait by up to a tenth of its width too high or too low, and that
error drifts. The picture tells to a fraction of a pixel how the clothes move.

Legend: T video frames, J joints of the trunk.
"""

from collections.abc import Sequence

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.flow.path import along, known_runs
from dreamactor_signals.flow.similarity import moved

_JOINTS = [joint_index(name) for name in ("neck", "left_shoulder", "right_shoulder", "pelvis", "left_hip", "right_hip")]


def steady_trunk(track: MotionTrack, steps: Sequence[np.ndarray | None]) -> np.ndarray:
    """(T, 58, 3) joints in camera space, metres: those of the trunk steadied, at the depths that they had.

    Args:
        track: T frames.
        steps: T - 1 similarities (2, 3) from each frame to the next, in pixels of the track; None where nobody knows:
            nothing is averaged across.
    """
    joints_cam_m = track.joints_cam_m.astype(np.float64)
    seen_px = track.project(joints_cam_m[:, _JOINTS])
    confidence_TJ = track.joint_confidence[:, _JOINTS]
    shifts_m = np.zeros_like(seen_px)
    for run in known_runs(steps):
        path_px = _path(seen_px[run], steps[run.start : run.stop - 1])
        steady_px = along(path_px, seen_px[run], confidence_TJ[run], float(track.fps))
        shifts_m[run] = (steady_px - seen_px[run]) / track.focal_px * joints_cam_m[run, _JOINTS, 2:]
    joints_cam_m[:, _JOINTS, :2] += np.where(confidence_TJ[..., None] > 0, shifts_m, 0)
    return joints_cam_m


def _path(seen_px: np.ndarray, steps: Sequence[np.ndarray | None]) -> np.ndarray:
    """(T, J, 2) pixels by which the steps move what is seen, since the first frame."""
    shifts_px = [moved(step, now) - now for step, now in zip(steps, seen_px, strict=False) if step is not None]
    return np.concatenate([np.zeros_like(seen_px[:1]), np.cumsum(shifts_px, axis=0)])
