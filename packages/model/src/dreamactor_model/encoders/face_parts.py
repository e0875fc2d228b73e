"""Where the eyes and the mouth of a face are, and upright, equally large squares around them.

Legend: K crops, C channels, H W rows and columns; P = 3 points and squares: the person's left eye, right eye, mouth;
Q landmarks of `core.face_landmarks`; M marks: landmarks of the left half in the left eye's square, of the right half in
the right eye's, all in the mouth's; X = 2 coordinates, in sides of the crop from its top left corner if nothing else is
said.
"""

from typing import NamedTuple

import torch
from dreamactor_core.face_landmarks import LANDMARK_COUNT, LANDMARKS_A_SIDE
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.encoders.face_layers import convolved, even
from dreamactor_model.linear import Linear
from dreamactor_model.presets import FACE_CROP_PX

PART_PX = 64
MARK_COUNT = 2 * LANDMARKS_A_SIDE + LANDMARK_COUNT
# Faces are found in a smaller picture.
_FIND_POOLING = 4
# Where the points lie in a face that looks straight ahead.
_USUAL_POINTS = ((0.62, 0.42), (0.38, 0.42), (0.50, 0.70))
# Squares around eyes and mouth: half their side, and how far they lie below their point, both in distances from the
# middle of the eyes to the mouth. An eye's holds brow and cheek, the mouth's nostrils and chin.
_HALF, _BELOW = (0.60, 0.60, 0.85), (-0.10, -0.10, 0.05)
_LEAST_DISTANCE = 0.05


class PointFinder(nn.Module):
    """Where eyes and mouth of the face at rest are: a chin that drops must not move the square it is read in."""

    def __init__(self, stem: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolved(3, stem, kernel=5, stride=2),
            convolved(stem, 2 * stem, stride=2),
            convolved(2 * stem, 4 * stem, stride=2),
        )
        side = FACE_CROP_PX // _FIND_POOLING // 8
        self.readout = Linear(4 * stem * side * side, len(_USUAL_POINTS) * 2)
        with torch.no_grad():
            self.readout.weight *= 0.1
            self.readout.bias.copy_(torch.tensor(_USUAL_POINTS).flatten())

    def forward(self, crops_KCHW: Tensor) -> Tensor:
        """Crops -> points (K, P, X)."""
        small_KCHW = even(F.avg_pool2d(crops_KCHW, _FIND_POOLING)).to(self.readout.weight.dtype)
        # Single precision from here on: half has not enough digits for a place in a crop.
        return self.readout(self.layers(small_KCHW).flatten(1)).float().unflatten(1, (-1, 2))


class Squares(NamedTuple):
    """Three squares in each crop; the right eye's is seen in a mirror, where it looks like a left one.

    Attributes:
        center_KPX: their middles.
        right_KPX: from the middle to the side that is drawn on the right.
        down_KPX: from the middle to the lower side.
    """

    center_KPX: Tensor
    right_KPX: Tensor
    down_KPX: Tensor

    def cut(self, crops_KCHW: Tensor) -> Tensor:
        """(K, P, 3, 64, 64) of crops; black beyond them."""
        # grid_sample counts from -1 to 1: twice the shares, less one.
        columns = (2 * self.right_KPX, 2 * self.down_KPX, 2 * self.center_KPX - 1)
        transform_PK23 = torch.stack(columns, dim=3).transpose(0, 1)
        size = [len(crops_KCHW), 3, PART_PX, PART_PX]
        grids = (F.affine_grid(transform_K23, size, align_corners=False) for transform_K23 in transform_PK23)
        return torch.stack([F.grid_sample(crops_KCHW, grid, align_corners=False) for grid in grids], dim=1)

    def marks(self, landmarks_KQX: Tensor) -> Tensor:
        """(K, M, X) landmarks as the squares show them: -1 and 1 are their sides."""
        left, right = landmarks_KQX[:, :LANDMARKS_A_SIDE], landmarks_KQX[:, LANDMARKS_A_SIDE:]
        return torch.cat([self._inside(0, left), self._inside(1, right), self._inside(2, landmarks_KQX)], dim=1)

    def _inside(self, part: int, points_KQX: Tensor) -> Tensor:
        away_KQX = points_KQX - self.center_KPX[:, part, None]
        # The axes are at right angles and equally long.
        axes_KXX = torch.stack([self.right_KPX[:, part], self.down_KPX[:, part]], dim=2)
        return away_KQX @ axes_KXX / axes_KXX.square().sum(dim=1, keepdim=True)


def squares_around(points_KPX: Tensor) -> Squares:
    """Upright squares around left eye, right eye and mouth, as large as the face is."""
    left_KX, right_KX, mouth_KX = points_KPX.unbind(dim=1)
    down_KX = mouth_KX - (left_KX + right_KX) / 2
    length_K1 = down_KX.norm(dim=1, keepdim=True)
    # A finder that has learned nothing yet may put the mouth between the eyes.
    down_K1X = (down_KX / length_K1.clamp_min(1e-6) * length_K1.clamp_min(_LEAST_DISTANCE))[:, None]
    half_P1, below_P1 = (points_KPX.new_tensor(shares)[:, None] for shares in (_HALF, _BELOW))
    side_P1 = points_KPX.new_tensor((1.0, -1.0, 1.0))[:, None]
    across_K1X = torch.stack([down_K1X[..., 1], -down_K1X[..., 0]], dim=2)
    return Squares(points_KPX + below_P1 * down_K1X, side_P1 * half_P1 * across_K1X, half_P1 * down_K1X)
