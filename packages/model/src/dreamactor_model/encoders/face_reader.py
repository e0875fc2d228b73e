"""A square of the face -> where its landmarks are, and what it looks like (`FaceMotionEncoder` reads both).

Every landmark has a map of where it may be, a sixteenth of the square fine; its place is the mean over the map (Sun et
al. 2018, "Integral human pose regression"), which is much finer than the map.

Legend: K squares, C channels, H W rows and columns of the maps, E their cells, M landmarks, X = 2 coordinates of which
-1 and 1 are the sides.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.encoders.face_layers import Residual, convolved, even
from dreamactor_model.encoders.face_parts import PART_PX

_PATCH_PX = 4
_MAP_SIDE = PART_PX // _PATCH_PX
# A mean never reaches the outermost cells' middles; landmarks may lie as far as the sides.
_REACH = 1.1


class PartReader(nn.Module):
    """Convolutions at three scales: coarse ones tell the parts of a face, fine ones where exactly they are.

    Args:
        stem: channels, in thirds of those of the finest scale.
        marks: landmarks to place.
    """

    def __init__(self, stem: int, marks: int) -> None:
        super().__init__()
        fine, coarse = 3 * stem, 4 * stem
        # Patches of pixels as channels lose nothing, and convolutions of few channels are slow.
        self.fine = nn.Sequential(nn.PixelUnshuffle(_PATCH_PX), convolved(3 * _PATCH_PX**2, fine), Residual(fine))
        self.middle = nn.Sequential(convolved(fine, coarse, stride=2), Residual(coarse))
        self.coarse = nn.Sequential(convolved(coarse, coarse, stride=2), Residual(coarse))
        self.from_coarse, self.from_middle = nn.Conv2d(coarse, fine, 1), nn.Conv2d(coarse, fine, 1)
        self.maps = nn.Sequential(convolved(fine, fine), nn.Conv2d(fine, marks, 1))
        self.width = coarse * (_MAP_SIDE // 4) ** 2

    def forward(self, squares_KCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Squares (K, 3, 64, 64) -> places (K, M, X), float32, and looks (K, `width`)."""
        fine_KCHW = self.fine(even(squares_KCHW).to(self.from_coarse.weight.dtype))
        middle_KCHW = self.middle(fine_KCHW)
        coarse_KCHW = self.coarse(middle_KCHW)
        seen_KCHW = self.from_middle(middle_KCHW) + _doubled(self.from_coarse(coarse_KCHW))
        maps_KMHW = self.maps(fine_KCHW + _doubled(seen_KCHW))
        # Half precision has not enough digits for a place.
        places_KMX = maps_KMHW.float().flatten(2).softmax(dim=2) @ _cells(maps_KMHW.device)
        return places_KMX, coarse_KCHW.flatten(1)


def _cells(device: torch.device) -> Tensor:
    """Where the cells of a map lie, (E, X). No buffer: a checkpoint would not hold it, nor bfloat16 its digits."""
    middles = (torch.arange(_MAP_SIDE, device=device) + 0.5) * (2 / _MAP_SIDE) - 1
    return _REACH * torch.stack([middles.repeat(_MAP_SIDE), middles.repeat_interleave(_MAP_SIDE)], dim=1)


def _doubled(maps_KCHW: Tensor) -> Tensor:
    return F.interpolate(maps_KCHW, scale_factor=2.0, mode="nearest")
