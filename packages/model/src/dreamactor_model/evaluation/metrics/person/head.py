"""Whether the head is held as the driving head is.

Legend: T video frames.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.rotations import vector_of_rotation
from dreamactor_signals.visibility import SEEN

PROTOCOL = (
    "angle of the shortest turn between the head found in the result and the driving head, in frames where both show "
    f"their face (confidence of at least {SEEN}); mean over frames; a head seen from behind is not judged"
)


def head_error_deg(result: MotionTrack | None, driving: MotionTrack) -> float | None:
    """Mean angle over the frames in which both heads show their face; None where there is no such frame."""
    if result is None:
        return None
    # A head that is read off the body alone may be wrong by more than a still head would be.
    both_T = np.min([_faced(result), _faced(driving)], axis=0) >= SEEN
    if not both_T.any():
        return None
    between = np.swapaxes(driving.head_rotation[both_T], -1, -2) @ result.head_rotation[both_T]
    return float(np.degrees(np.linalg.norm(vector_of_rotation(between.astype(np.float64)), axis=-1)).mean())


def _faced(track: MotionTrack) -> np.ndarray:
    return np.asarray(np.minimum(track.head_confidence, track.face_confidence))
