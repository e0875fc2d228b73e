"""The picture without the person, as the camera of another frame sees it.

Legend: H W rows and columns, C channels.
"""

import cv2
import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.plane import between_centers, squared, to_pixels

# What a camera finds beyond the edge is not known: it goes on as it is there.
_BEYOND = cv2.BORDER_REPLICATE


def moved_scenery(scenery_HWC: np.ndarray, pose: MotionTrack, track: MotionTrack, frame: int) -> np.ndarray:
    """(H, W, C) uint8: what lies behind the person, moved as the camera's own motion moves it.

    Args:
        scenery_HWC: uint8, what lies behind the person where the pose was taken.
        pose: one frame; its scenery is where every track has it that is not told otherwise.
        track: where the frame is from. One that knows nothing of its scenery leaves it where it is.
    """
    if track.scenery_motion is None:
        return scenery_HWC
    home = np.eye(3) if pose.scenery_motion is None else squared(pose.scenery_motion[0])
    seen = to_pixels(track) @ squared(track.scenery_motion[frame])
    motion = between_centers(seen @ np.linalg.inv(home) @ np.linalg.inv(to_pixels(pose)))
    if np.allclose(motion, np.eye(2, 3), atol=1e-6):
        return scenery_HWC
    size = scenery_HWC.shape[1::-1]
    return np.asarray(cv2.warpAffine(scenery_HWC, motion, size, flags=cv2.INTER_LINEAR, borderMode=_BEYOND))
