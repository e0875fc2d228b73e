"""Colours go on where none are known: the nearer and surer a known one is, the more.

Legend: H W rows and columns, C channels.
"""

import cv2
import numpy as np

_SMALLEST = 2


def spread(known_HW4: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32: what is sure stays, the rest is made of what is around it.

    Pull and push, as in Gortler et al., The Lumigraph, 1996: ever coarser means, and back.

    Args:
        known_HW4: float32, RGB times how sure it is, and that, 0 to 1.
    """
    sure_HW1 = known_HW4[..., 3:]
    if min(known_HW4.shape[:2]) <= _SMALLEST:
        total_4 = known_HW4.sum(axis=(0, 1))
        return np.broadcast_to(total_4[:3] / max(total_4[3], 1e-6), (*known_HW4.shape[:2], 3)).astype(np.float32)
    coarse_HW4 = cv2.pyrDown(known_HW4)
    surer_HW1 = np.minimum(4 * coarse_HW4[..., 3:], 1)
    coarse_HW4 = coarse_HW4 * surer_HW1 / np.maximum(coarse_HW4[..., 3:], 1e-6)
    around_HW3 = cv2.pyrUp(spread(coarse_HW4), dstsize=known_HW4.shape[1::-1])
    return np.asarray(known_HW4[..., :3] + (1 - sure_HW1) * around_HW3)
