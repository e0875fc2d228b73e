"""The picture without the person, as the camera of another frame sees it.

Legend: H W rows and columns, C channels.
"""

import cv2
import numpy as np
from dreamactor_core.motion_track import MotionTrack

# What a camera finds beyond the edge is not known: it goes on as it is there.
_BEYOND = cv2.BORDER_REPLICATE
_HALF = np.array([0.5, 0.5])


def moved_scenery(scenery_HWC: np.ndarray, pose: MotionTrack, track: MotionTrack, frame: int) -> np.ndarray:
    """(H, W, C) uint8: what lies behind the person, moved as the camera's own motion moves it.

    Args:
        scenery_HWC: uint8, what lies behind the person where the pose was taken.
        pose: one frame; its scenery is where every track has it that is not told otherwise.
        track: where the frame is from. One that knows nothing of its scenery leaves it where it is.
    """
    if track.scenery_motion is None:
        return scenery_HWC
    here, there = _to_pixels(track), _to_pixels(pose)
    home = np.eye(3) if pose.scenery_motion is None else _square(pose.scenery_motion[0])
    motion = here @ _square(track.scenery_motion[frame]) @ np.linalg.inv(home) @ np.linalg.inv(there)
    # Pixels are counted from the centre of the first one.
    motion[:2, 2] += motion[:2, :2] @ _HALF - _HALF
    if np.allclose(motion, np.eye(3), atol=1e-6):
        return scenery_HWC
    size = scenery_HWC.shape[1::-1]
    return np.asarray(cv2.warpAffine(scenery_HWC, motion[:2], size, flags=cv2.INTER_LINEAR, borderMode=_BEYOND))


def _to_pixels(track: MotionTrack) -> np.ndarray:
    """(3, 3) from the image plane to the track's pixels."""
    matrix = np.diag([track.focal_px, track.focal_px, 1.0])
    matrix[:2, 2] = track.principal_px
    return matrix


def _square(similarity: np.ndarray) -> np.ndarray:
    return np.vstack([similarity.astype(np.float64), [0, 0, 1]])
