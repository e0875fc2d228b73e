"""Whether the face does what the driving face does.

Legend: T video frames, U face units.
"""

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.visibility import SEEN

PROTOCOL = (
    "mean absolute difference of the 51 ARKit weights (in [0, 1]) that one tracker reads in the result and in the "
    "driving face (in the truth's, where the driving track is no tracker's of this kind), in frames where both faces "
    f"have a confidence of at least {SEEN} and the result's face box is at least evaluation.min_face_px wide"
)
_NEUTRAL = ARKIT_UNITS.index("_neutral")


def large_faces(track: MotionTrack, min_face_px: int) -> np.ndarray:
    """(T,) bool: a face is seen and is large enough to be read."""
    width_px = track.face_boxes_px[:, 2] - track.face_boxes_px[:, 0]
    return np.asarray((track.face_confidence >= SEEN) & (width_px >= min_face_px))


def expression_error(result: MotionTrack | None, driving: MotionTrack | None, min_face_px: int) -> float | None:
    """Mean over units and frames; None where no frame shows two faces that can be read."""
    if result is None or driving is None or result.face_units is None or driving.face_units is None:
        return None
    both_T = large_faces(result, min_face_px) & (driving.face_confidence >= SEEN)
    if not both_T.any():
        return None
    apart_TU = np.abs(result.face_units[both_T] - driving.face_units[both_T])
    return float(np.delete(apart_TU, _NEUTRAL, axis=1).mean())
