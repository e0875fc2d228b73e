"""Features that were made once: the same truth is held against every variant of a report."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

_MOST_CLIPS = 512
_Features = Callable[[np.ndarray], np.ndarray]


def remembered(features: _Features, most: int = _MOST_CLIPS) -> _Features:
    """The same features, without asking the network twice about the same frames.

    Args:
        features: of one clip (T, H, W, 3) uint8.
        most: clips that are remembered; the one not asked for longest is forgotten first.
    """
    known: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def look_up(frames_THWC: np.ndarray) -> np.ndarray:
        content = hashlib.blake2b(np.ascontiguousarray(frames_THWC).data)
        content.update(repr(frames_THWC.shape).encode())
        key = content.digest()
        if key not in known:
            known[key] = features(frames_THWC)
        known.move_to_end(key)
        if len(known) > most:
            known.popitem(last=False)
        return known[key]

    return look_up
