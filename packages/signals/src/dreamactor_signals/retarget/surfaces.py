"""How clothes move in a retargeted performance: about where the reference has them, as the driving person's do.

Legend: T video frames, P surfaces (`dreamactor_core.surfaces`), K terms.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack


def follow_surfaces(driving: MotionTrack, reference: MotionTrack) -> np.ndarray | None:
    """(T, P, 2, K) as `MotionTrack.surface_motion`: as the reference has it where the driving one is at its median.

    None where nobody looked at the driving clip's. They are in lengths and widths of each part: no body changes them.
    """
    if driving.surface_motion is None:
        return None
    own = 0.0 if reference.surface_motion is None else np.median(reference.surface_motion, axis=0)
    return np.asarray(driving.surface_motion - np.median(driving.surface_motion, axis=0) + own)
