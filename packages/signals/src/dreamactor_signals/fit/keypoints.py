"""What a fit explains: where joints are seen.

Legend: T video frames, J joints (`dreamactor_core.skeleton`).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Keypoints:
    """Joints of one person over a clip without cuts, as a tracker sees them.

    Attributes:
        points_px: (T, J, 2) float32.
        confidence: (T, J) float32 in [0, 1]; 0 where a joint was not seen.
        frame_size: width, height.
        joints_cam_m: (T, J, 3) float32 the tracker's own 3-D along the camera's axes in metres, from any origin that
            a frame's joints share; None when it tells none.
        focal_px: of the camera, None when unknown.
        head_radius_px: (T,) float32 how large the skull sphere is seen, 0 where it is not; None when never. Heads
            differ little between adults: it tells how large the rest is.
    """

    points_px: np.ndarray
    confidence: np.ndarray
    frame_size: tuple[int, int]
    joints_cam_m: np.ndarray | None = None
    focal_px: float | None = None
    head_radius_px: np.ndarray | None = None
