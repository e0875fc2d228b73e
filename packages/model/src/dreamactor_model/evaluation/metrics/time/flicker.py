"""What changes from frame to frame and is no movement.

Legend: T video frames, H W rows and columns, C channels.
"""

import cv2
import numpy as np

PROTOCOL = (
    "mean absolute difference, in grey levels of 255, of each frame to the next one carried back along the optical "
    "flow (DIS, medium preset) between the two, over all pixels that the flow leaves inside and all channels, mean "
    "over pairs of frames; a video that stands still has 0, and a filmed one a little: compare it with another "
    "variant's on the same clips"
)


def flicker(frames_THWC: np.ndarray) -> float | None:
    """Grey levels; None for a single frame."""
    if len(frames_THWC) < 2:
        return None
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in frames_THWC]
    pairs = range(len(frames_THWC) - 1)
    return float(
        np.mean([_residue(flow.calc(grey[t], grey[t + 1], None), frames_THWC[t], frames_THWC[t + 1]) for t in pairs])
    )


def _residue(flow_HW2: np.ndarray, now_HWC: np.ndarray, then_HWC: np.ndarray) -> float:
    """What the flow does not explain of the second frame."""
    height, width = flow_HW2.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    x, y = columns + flow_HW2[..., 0], rows + flow_HW2[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    carried = cv2.remap(then_HWC.astype(np.float32), x, y, cv2.INTER_LINEAR)
    difference = np.abs(carried - now_HWC)[inside]
    return float(difference.mean()) if difference.size else 0.0
