"""A trunk that goes with its clothes: what a tracker says of it, averaged along the picture's own motion.

Networks place a trunk anew in every frame, in a portrait by up to a tenth of its width too high or too low, and that
error drifts. The picture tells to a fraction of a pixel how the clothes move.

Legend: T video frames, J joints of the trunk.
"""

from collections.abc import Sequence

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.flow.path import WIDTH_S, along, known_runs
from dreamactor_signals.flow.shifts import shifted
from dreamactor_signals.flow.similarity import moved

_JOINTS = [joint_index(name) for name in ("neck", "left_shoulder", "right_shoulder", "pelvis", "left_hip", "right_hip")]


def steady_trunk(track: MotionTrack, steps: Sequence[np.ndarray | None]) -> MotionTrack:
    """The track with the trunk's joints steadied, at the depths that they had.

    Args:
        track: T frames.
        steps: T - 1 similarities (2, 3) from each frame to the next, in pixels of the track; None where nobody knows:
            nothing is averaged across.
    """
    seen_px = track.project(track.joints_cam_m[:, _JOINTS])
    confidence_TJ = track.joint_confidence[:, _JOINTS]
    shifts_px = np.zeros((*track.joint_confidence.shape, 2))
    for run in known_runs(steps):
        path_px = _path(seen_px[run], steps[run.start : run.stop - 1])
        shifts_px[run, _JOINTS] = (
            along(path_px, seen_px[run], confidence_TJ[run], WIDTH_S * float(track.fps)) - seen_px[run]
        )
    return shifted(track, shifts_px)


def _path(seen_px: np.ndarray, steps: Sequence[np.ndarray | None]) -> np.ndarray:
    """(T, J, 2) pixels by which the steps move what is seen, since the first frame."""
    shifts_px = [moved(step, now) - now for step, now in zip(steps, seen_px, strict=False) if step is not None]
    return np.concatenate([np.zeros_like(seen_px[:1]), np.cumsum(shifts_px, axis=0)])
