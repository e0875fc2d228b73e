"""Frames as small as they are looked at, and the parts of a person in them.

Legend: P parts, H W rows and columns, C colours.
"""

from collections.abc import Iterable, Iterator, Mapping

import cv2
import numpy as np

from dreamactor_signals.plane import pixel_centers
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


def nearest_parts(parts: Mapping[str, Placement], size: tuple[int, int], cell_px: int) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) which of the parts is nearest to each cell, and its distance in the part's radii.

    Args:
        parts: in pixels of a picture of this size, width and height.
        cell_px: side of a cell.
    """
    # Cells are the pixels of a smaller picture yet.
    centers_HW2 = pixel_centers((-(-size[1] // cell_px), -(-size[0] // cell_px)))
    distances_PHW = np.stack([part.scaled(1 / cell_px).distance(centers_HW2) for part in parts.values()])
    return distances_PHW.argmin(axis=0), distances_PHW.min(axis=0)


def at_size(mask_HW: np.ndarray, size: tuple[int, int], cell_px: int) -> np.ndarray:
    """A mask in cells as one in pixels of a picture of this size, width and height."""
    return np.asarray(np.kron(mask_HW, np.ones((cell_px, cell_px), bool))[: size[1], : size[0]])
