"""What must be known of a face crop before anyone learns from it: is there a face, is it hidden, is it enlarged?

Legend: T video frames.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.faces.crops import CROP_PX
from dreamactor_signals.faces.windows import face_windows
from dreamactor_signals.visibility import SEEN

# A hand at the chin hides little that moves; from here on eyes or mouth are gone.
_HIDDEN = 0.25


@dataclass(frozen=True)
class FaceCondition:
    """(T,) flags of a clip's face crops.

    Attributes:
        absent: no face was seen; its crop is black.
        occluded: something hides a good part of it. A track of a tracker that does not look for this has none.
        enlargement: crop pixels a source pixel; 0 where the face is absent.
    """

    absent: np.ndarray
    occluded: np.ndarray
    enlargement: np.ndarray

    @property
    def upscaled(self) -> np.ndarray:
        """(T,) whether the crop shows more pixels than the video held: too small a face."""
        return self.enlargement > 1

    @property
    def clean(self) -> np.ndarray:
        """(T,) frames whose crop shows a face, whole and at its own resolution."""
        return ~(self.absent | self.occluded | self.upscaled)


def face_condition(track: MotionTrack, size: int = CROP_PX) -> FaceCondition:
    """The state of each frame's face crop.

    Args:
        track: T frames.
        size: side of the crops.
    """
    absent = track.face_confidence < SEEN
    boxes_px = np.where(absent[:, None], 0, track.face_boxes_px)
    hidden = np.zeros(len(track)) if track.face_occlusion is None else track.face_occlusion
    enlargement = np.array([0.0 if window is None else size / window.side_px for window in face_windows(boxes_px)])
    return FaceCondition(absent, ~absent & (hidden >= _HIDDEN), enlargement)
