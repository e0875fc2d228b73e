"""What a network or a tracker said of frames once: the same truth is held against every contender of a report."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

_MOST_CLIPS = 512
_Answer = TypeVar("_Answer")


class Remembered(Generic[_Answer]):
    """The same answers, without asking twice about the same frames.

    Args:
        ask: of one clip (T, H, W, 3) uint8.
        most: clips that are remembered; the one not asked about for longest is forgotten first.
    """

    def __init__(self, ask: Callable[[np.ndarray], _Answer], most: int = _MOST_CLIPS) -> None:
        self._ask, self._most = ask, most
        self._known: OrderedDict[bytes, _Answer] = OrderedDict()

    def __call__(self, frames_THWC: np.ndarray) -> _Answer:
        key = _key(frames_THWC)
        if key not in self._known:
            self._keep(key, self._ask(frames_THWC))
        self._known.move_to_end(key)
        return self._known[key]

    def __contains__(self, frames_THWC: np.ndarray) -> bool:
        return _key(frames_THWC) in self._known

    def learn(self, frames_THWC: np.ndarray, answer: _Answer) -> None:
        """What somebody else was told."""
        self._keep(_key(frames_THWC), answer)

    def _keep(self, key: bytes, answer: _Answer) -> None:
        self._known[key] = answer
        if len(self._known) > self._most:
            self._known.popitem(last=False)


def _key(frames_THWC: np.ndarray) -> bytes:
    content = hashlib.blake2b(np.ascontiguousarray(frames_THWC).data)
    content.update(repr(frames_THWC.shape).encode())
    return content.digest()
