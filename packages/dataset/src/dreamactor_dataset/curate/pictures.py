"""What a few frames tell that a track cannot: sharpness.

Legend: H W pixels.
"""

import cv2
import numpy as np

_BLUR_PX = 9
# What a training frame shows of a person; more pixels than that may be as soft as they like.
_TALLEST_PX = 384


def sharpness(picture: np.ndarray) -> float:
    """What blurring takes from the steps between neighbouring pixels of a (H, W, 3) picture, in [0, 1].

    A sharp picture loses most of them, one that is blurred already next to none (the no-reference measure of Crété
    et al., 2007); how much there is to see in it hardly matters.
    """
    scale = min(1.0, _TALLEST_PX / picture.shape[0])
    size = max(2, round(picture.shape[1] * scale)), max(2, round(picture.shape[0] * scale))
    grey = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return min(_lost(grey, axis) for axis in (0, 1))


def _lost(grey: np.ndarray, axis: int) -> float:
    kernel = (1, _BLUR_PX) if axis == 0 else (_BLUR_PX, 1)
    steps, blurred = (np.abs(np.diff(image, axis=axis)) for image in (grey, cv2.blur(grey, kernel)))
    total = float(steps.sum())
    return float(np.maximum(steps - blurred, 0).sum()) / total if total else 0.0
