"""A trunk that goes with its clothes: what a tracker says of it, averaged along the picture's own motion.

Networks place a trunk anew in every frame, in a portrait by up to a tenth of its width too high or too low, and that
error drifts. The picture tells to a fraction of a pixel how the clothes move. An average over a second or so along that
motion keeps every move and loses the drift.

Legend: T video frames, J joints of the trunk.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.flow.similarity import moved
from dreamactor_signals.smoothing import smooth

_WIDTH_S = 1.0
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
    for run in _runs(steps):
        steady_px = _along(seen_px[run], confidence_TJ[run], steps[run.start : run.stop - 1], float(track.fps))
        shifts_m[run] = (steady_px - seen_px[run]) / track.focal_px * joints_cam_m[run, _JOINTS, 2:]
    joints_cam_m[:, _JOINTS, :2] += np.where(confidence_TJ[..., None] > 0, shifts_m, 0)
    return joints_cam_m


def _runs(steps: Sequence[np.ndarray | None]) -> Iterator[slice]:
    """Frames between which every step is known."""
    for is_known, group in groupby(range(len(steps)), key=lambda step: steps[step] is not None):
        if is_known:
            members = list(group)
            yield slice(members[0], members[-1] + 2)


def _along(
    seen_px: np.ndarray, confidence_TJ: np.ndarray, steps: Sequence[np.ndarray | None], fps: float
) -> np.ndarray:
    """(T, J, 2) pixels, averaged along the steps."""
    shifts_px = [moved(step, now) - now for step, now in zip(steps, seen_px, strict=False) if step is not None]
    path_px = np.concatenate([np.zeros_like(seen_px[:1]), np.cumsum(shifts_px, axis=0)])
    return path_px + smooth(seen_px - path_px, confidence_TJ, _WIDTH_S * fps)
