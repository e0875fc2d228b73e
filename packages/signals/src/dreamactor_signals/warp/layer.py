"""A part as a frame shows it: a window of the picture, and what is in it. Most parts of a person are small.

Legend: H W rows and columns, of the window where nothing else is said, C channels.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_signals.plane import pixel_centers

STEP_PX = 16
"""Windows begin and end at multiples of it, or with the picture: what spreads there is about what spreads in it."""


@dataclass(frozen=True)
class Window:
    """Some rows and columns of a picture, the last ones excluded; none where `bottom` is `top`."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def around(cls, points_N2: np.ndarray, margin_px: float, shape: tuple[int, ...]) -> "Window":
        """Around all points (x, y in pixels), as much of it as a picture of (H, W, ...) has; none for no points."""
        if not len(points_N2):
            return cls(0, 0, 0, 0)
        size = np.array(shape[1::-1])
        low = (np.floor((points_N2.min(axis=0) - margin_px) / STEP_PX) * STEP_PX).clip(0, size).astype(int)
        high = (np.ceil((points_N2.max(axis=0) + margin_px) / STEP_PX) * STEP_PX).clip(0, size).astype(int)
        return cls(int(low[1]), int(low[0]), int(high[1]), int(high[0])) if (low < high).all() else cls(0, 0, 0, 0)

    @property
    def is_empty(self) -> bool:
        """Whether it has no pixel."""
        return self.bottom == self.top

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def corner_px(self) -> np.ndarray:
        """(2,) x and y."""
        return np.array([self.left, self.top], float)

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Its pixels in the picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def centers(self) -> np.ndarray:
        """(H, W, 2) x and y of its pixels' centres in the picture."""
        return pixel_centers(self.shape) + self.corner_px


@dataclass(frozen=True, eq=False)
class Layer:
    """What is seen of one part; outside of its window there is nothing of it.

    Attributes:
        picture_HW4: RGB times its share of the pixel, and that share.
    """

    window: Window
    picture_HW4: np.ndarray

    @classmethod
    def nothing(cls) -> "Layer":
        """Of a part that is out of the picture."""
        return cls(Window(0, 0, 0, 0), np.zeros((0, 0, 4), np.float32))

    def lay_over(self, picture_HWC: np.ndarray) -> None:
        """Change a whole picture of float RGB, or of RGB times its share and that share."""
        below_HWC = picture_HWC[self.window.pixels]
        below_HWC *= 1 - self.picture_HW4[..., 3:]
        below_HWC += self.picture_HW4[..., : below_HWC.shape[-1]]


def extent(share_HW: np.ndarray, beyond: float) -> np.ndarray:
    """(2, 2) the least and the greatest x and y, in pixels, that show something of a picture, if only a little of it.

    Zeros for an empty one.

    Args:
        beyond: how far what reaches the picture's edge goes on there, in pixels.
    """
    ends = []
    for axis in (0, 1):
        found = np.flatnonzero((share_HW > 0).any(axis=axis))
        if not len(found):
            return np.zeros((2, 2))
        first, last = found[0], found[-1] + 1
        is_last = last == share_HW.shape[1 - axis]
        ends.append((first - (1 if first else beyond), last + (beyond if is_last else 1)))
    return np.array(ends, float).T
