"""The scenery of a retargeted performance: the reference's, moved as the driving camera moves.

Legend: T video frames.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.plane import squared


def follow_scenery(driving: MotionTrack, reference: MotionTrack) -> np.ndarray | None:
    """(T, 2, 3) as `MotionTrack.scenery_motion`: as the reference has it where the driving camera is at its median.

    None where nobody looked at the driving clip's. Angles are kept: a pan is as wide before the reference's camera.
    """
    if driving.scenery_motion is None:
        return None
    motion = squared(driving.scenery_motion)
    own = np.eye(3) if reference.scenery_motion is None else _home(squared(reference.scenery_motion))
    return np.asarray(motion @ np.linalg.inv(_home(motion)) @ own)[:, :2]


def _home(motion: np.ndarray) -> np.ndarray:
    """(3, 3): the elements of similarities have medians that make a similarity again."""
    return np.asarray(np.median(motion, axis=0))
