"""How the scenery behind a person moves in the picture: what the camera does, as far as a flat picture can follow it.

Legend: T video frames.
"""

from collections.abc import Sequence

import numpy as np
from dreamactor_core.motion_track import MotionTrack


def scenery_motion(track: MotionTrack, steps: Sequence[np.ndarray | None]) -> np.ndarray:
    """(T, 2, 3) as `MotionTrack.scenery_motion`, against the first frame.

    Args:
        track: T frames.
        steps: T - 1 similarities (2, 3) from each frame to the next, in pixels of the track; None where nobody knows:
            there the scenery is taken to stand still.
    """
    to_pixels = np.diag([track.focal_px, track.focal_px, 1.0])
    to_pixels[:2, 2] = track.principal_px
    to_plane = np.linalg.inv(to_pixels)
    motion = [np.eye(3)]
    for step in steps:
        motion.append(motion[-1] if step is None else to_plane @ np.vstack([step, [0, 0, 1]]) @ to_pixels @ motion[-1])
    # A video may end before its track does.
    motion += [motion[-1]] * (len(track) - len(motion))
    return np.stack(motion)[:, :2]
