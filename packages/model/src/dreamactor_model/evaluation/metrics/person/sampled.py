"""Some frames of a clip stand for all where a measure is slow and changes little from frame to frame."""

import numpy as np

FRAMES = 8


def spread(usable_T: np.ndarray, most: int = FRAMES) -> np.ndarray:
    """Indices of at most so many usable frames (T,) bool, spread over all of them."""
    usable = np.flatnonzero(usable_T)
    if len(usable) <= most:
        return usable
    return usable[np.linspace(0, len(usable) - 1, most).round().astype(int)]
