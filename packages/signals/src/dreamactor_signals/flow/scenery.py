"""How the scenery behind a person moves in the picture: what the camera does, as far as a flat picture can follow it.

Legend: T video frames.
"""

from collections.abc import Sequence

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.plane import squared, to_pixels


def scenery_motion(track: MotionTrack, steps: Sequence[np.ndarray | None]) -> np.ndarray:
    """(T, 2, 3) as `MotionTrack.scenery_motion`, against the first frame.

    Args:
        track: T frames.
        steps: T - 1 similarities (2, 3) from each frame to the next, in pixels of the track; None where nobody knows:
            there the scenery is taken to stand still.
    """
    pixels = to_pixels(track)
    plane = np.linalg.inv(pixels)
    motion = [np.eye(3)]
    for step in steps:
        motion.append(motion[-1] if step is None else plane @ squared(step) @ pixels @ motion[-1])
    # A video may end before its track does.
    motion += [motion[-1]] * (len(track) - len(motion))
    return np.stack(motion)[:, :2]
