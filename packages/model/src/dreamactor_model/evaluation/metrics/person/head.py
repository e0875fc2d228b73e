"""Whether the head is held as the driving head is.

Legend: T video frames.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.rotations import vector_of_rotation
from dreamactor_signals.visibility import SEEN

PROTOCOL = (
    "angle of the shortest turn between the head found in the result and the driving head, both with a confidence of "
    f"at least {SEEN}; mean over frames"
)


def head_error_deg(result: MotionTrack | None, driving: MotionTrack) -> float | None:
    """Mean angle over the frames in which both heads are seen; None where there is no such frame."""
    if result is None:
        return None
    both_T = (result.head_confidence >= SEEN) & (driving.head_confidence >= SEEN)
    if not both_T.any():
        return None
    between = np.swapaxes(driving.head_rotation[both_T], -1, -2) @ result.head_rotation[both_T]
    return float(np.degrees(np.linalg.norm(vector_of_rotation(between.astype(np.float64)), axis=-1)).mean())
