"""Frames as small as they are looked at, and the parts of a person in them.

Legend: H W rows and columns, C colours.
"""

from collections.abc import Iterable, Iterator, Mapping

import cv2
import numpy as np

from dreamactor_signals.warp.placing import Placement

# The longer side of what is looked at.
_SIDE_PX = 384


def small_size(frame_size: tuple[int, int]) -> tuple[float, tuple[int, int]]:
    """The side of a small frame over that of a frame, and its width and height."""
    width, height = frame_size
    scale = min(1.0, _SIDE_PX / max(width, height))
    return scale, (max(1, round(width * scale)), max(1, round(height * scale)))


def small_frames(frames: Iterable[np.ndarray], size: tuple[int, int]) -> Iterator[np.ndarray]:
    """(H, W, C) uint8 each."""
    for frame in frames:
        yield cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def scaled(parts: Mapping[str, Placement], scale: float) -> dict[str, Placement]:
    """Parts in pixels of another size."""
    return {name: part.scaled(scale) for name, part in parts.items()}
