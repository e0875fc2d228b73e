"""The face motion encoder E_f and its MLP (paper 3.2): face crops -> face motion tokens, one a video frame.

E_f first finds the eyes and the mouth, cuts out a square around each, upright and equally large however the face lies
in the crop, and reads expression from those: place, size and roll of the face are gone before anything is read.

Legend: B batch, T video frames, C channels or token width, H W rows and columns, K crops of all clips, U facial units,
P = 3 points: the person's left eye, right eye, mouth; X = 2 coordinates, in sides of the crop from its top left corner.
"""

import torch
from dreamactor_core.face_units import ARKIT_UNITS
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.linear import Linear
from dreamactor_model.presets import FACE_CROP_PX, ActorConfig

_GROUP_CHANNELS = 8
# Faces are found in a smaller picture and then in squares of so many pixels, and read in larger ones.
_FIND_POOLING, _LOOK_PX, _PART_PX = 4, 32, 64
# Where the points lie in a face that looks straight ahead.
_USUAL_POINTS = ((0.62, 0.42), (0.38, 0.42), (0.50, 0.70))
# Squares around eyes and mouth: half their side, and how far they lie below their point, both in distances from the
# middle of the eyes to the mouth. An eye's holds brow and cheek, the mouth's nostrils and chin.
_EYE_HALF, _EYE_BELOW = 0.60, -0.10
_MOUTH_HALF, _MOUTH_BELOW = 0.85, 0.05
_LEAST_DISTANCE = 0.05


def _normalised(channels: int) -> nn.Module:
    # Groups, not batches: a crop's token must not depend on the crops beside it.
    return nn.GroupNorm(channels // _GROUP_CHANNELS, channels)


def _convolved(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
    return nn.Sequential(convolution, _normalised(outputs), nn.SiLU())


def _even(pictures_KCHW: Tensor) -> Tensor:
    """Zero mean and unit spread of each picture's colours: lamps and cameras differ in little else."""
    spread_KC11 = pictures_KCHW.std(dim=(2, 3), keepdim=True)
    return (pictures_KCHW - pictures_KCHW.mean(dim=(2, 3), keepdim=True)) / (spread_KC11 + 0.02)


class _Level(nn.Module):
    """Half the resolution, then one residual convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = _convolved(inputs, outputs, stride=2)
        self.refine = _convolved(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return x + self.refine(x)


class _PointFinder(nn.Module):
    """Where eyes and mouth of the face at rest are: a chin that drops must not move the square it is read in.

    A look at the whole crop, then a closer one at each point: what is cut out askew is read the worse for it.
    """

    def __init__(self, stem: int) -> None:
        super().__init__()
        self.layers = _looking(stem)
        side = FACE_CROP_PX // _FIND_POOLING // 8
        self.readout = Linear(4 * stem * side * side, len(_USUAL_POINTS) * 2)
        with torch.no_grad():
            self.readout.weight *= 0.1
            self.readout.bias.copy_(torch.tensor(_USUAL_POINTS).flatten())
        self.eye = _CloserLook(stem)
        self.mouth = _CloserLook(stem)

    def forward(self, crops_KCHW: Tensor) -> Tensor:
        return self.look_closer(crops_KCHW, self.look(crops_KCHW))

    def look(self, crops_KCHW: Tensor) -> Tensor:
        small_KCHW = F.avg_pool2d(crops_KCHW, _FIND_POOLING)
        return _place(small_KCHW, self.layers, self.readout).unflatten(1, (-1, 2))

    def look_closer(self, crops_KCHW: Tensor, points_KPX: Tensor) -> Tensor:
        left_KCHW, right_KCHW, mouth_KCHW = cut_parts(crops_KCHW, points_KPX, side_px=_LOOK_PX)
        # In the mirror, as it is read.
        left_KX, right_KX = self.eye(torch.cat([left_KCHW, right_KCHW.flip(3)])).chunk(2)
        right_KX = right_KX * right_KX.new_tensor((-1, 1))
        across_KP, along_KP = torch.stack([left_KX, right_KX, self.mouth(mouth_KCHW)], dim=1).unbind(dim=2)
        down_KX = _down(points_KPX)
        return points_KPX + across_KP[..., None] * _right(down_KX)[:, None] + along_KP[..., None] * down_KX[:, None]


class _CloserLook(nn.Module):
    """A square -> how far the point lies from where it was cut, in distances from the eyes to the mouth."""

    def __init__(self, stem: int) -> None:
        super().__init__()
        self.layers = _looking(stem)
        self.readout = Linear(4 * stem * (_LOOK_PX // 8) ** 2, 2)
        with torch.no_grad():
            self.readout.weight *= 0.1
            self.readout.bias.zero_()

    def forward(self, parts_KCHW: Tensor) -> Tensor:
        return _place(parts_KCHW, self.layers, self.readout)


def _place(pictures_KCHW: Tensor, layers: nn.Module, readout: nn.Linear) -> Tensor:
    features_KC = layers(_even(pictures_KCHW).to(readout.weight.dtype)).flatten(1)
    # Single precision from here on: half has not enough digits for a place in a crop.
    return F.linear(features_KC.float(), readout.weight.float(), readout.bias.float())


def _looking(stem: int) -> nn.Sequential:
    return nn.Sequential(
        _convolved(3, stem, kernel=5, stride=2),
        _convolved(stem, 2 * stem, stride=2),
        _convolved(2 * stem, 4 * stem, stride=2),
    )


class _PartReader(nn.Module):
    """A square of the face -> features. Places stay apart: an average would mix the lids into the brow."""

    def __init__(self, stem: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _convolved(3, stem, kernel=5, stride=2),
            _Level(stem, 2 * stem),
            _Level(2 * stem, 4 * stem),
            _Level(4 * stem, 4 * stem),
        )
        self.width = 4 * stem * (_PART_PX // 16) ** 2

    def forward(self, parts_KCHW: Tensor) -> Tensor:
        dtype = next(self.parameters()).dtype
        return self.layers(_even(parts_KCHW).to(dtype)).flatten(1)


class FaceMotionEncoder(nn.Module):
    """E_f: a crop of 224 x 224 -> what the face does, `face_width` numbers."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        self.finder = _PointFinder(config.face_stem)
        self.eye = _PartReader(config.face_stem)
        self.mouth = _PartReader(config.face_stem)
        self.readout = Linear(2 * self.eye.width + self.mouth.width, config.face_width)

    def forward(self, crops_KCHW: Tensor) -> Tensor:
        """Crops (K, 3, 224, 224) in [0, 1] -> features (K, face_width)."""
        crops_KCHW = crops_KCHW.float()
        return self.read(crops_KCHW, self.find(crops_KCHW))

    def find(self, crops_KCHW: Tensor) -> Tensor:
        """Crops -> points (K, P, X)."""
        return self.finder(crops_KCHW)

    def read(self, crops_KCHW: Tensor, points_KPX: Tensor) -> Tensor:
        """Crops, and where eyes and mouth are in them -> features."""
        left_KCHW, right_KCHW, mouth_KCHW = cut_parts(crops_KCHW, points_KPX)
        # One reader for both eyes: the right one in the mirror looks like a left one.
        left_KC, right_KC = self.eye(torch.cat([left_KCHW, right_KCHW.flip(3)])).chunk(2)
        return self.readout(torch.cat([left_KC, right_KC, self.mouth(mouth_KCHW)], dim=1))


def cut_parts(crops_KCHW: Tensor, points_KPX: Tensor, *, side_px: int = _PART_PX) -> tuple[Tensor, Tensor, Tensor]:
    """Upright squares (K, 3, side, side) around left eye, right eye and mouth; black beyond the crop."""
    left_KX, right_KX, mouth_KX = points_KPX.unbind(dim=1)
    down_KX = _down(points_KPX)
    squares = (
        (left_KX, _EYE_HALF, _EYE_BELOW),
        (right_KX, _EYE_HALF, _EYE_BELOW),
        (mouth_KX, _MOUTH_HALF, _MOUTH_BELOW),
    )
    left, right, mouth = (
        _square(crops_KCHW, point_KX + below * down_KX, half * down_KX, side_px) for point_KX, half, below in squares
    )
    return left, right, mouth


def _down(points_KPX: Tensor) -> Tensor:
    """(K, X) from the middle of the eyes to the mouth."""
    left_KX, right_KX, mouth_KX = points_KPX.unbind(dim=1)
    down_KX = mouth_KX - (left_KX + right_KX) / 2
    length_K1 = down_KX.norm(dim=1, keepdim=True)
    # A finder that has learned nothing yet may put the mouth between the eyes.
    return down_KX / length_K1.clamp_min(1e-6) * length_K1.clamp_min(_LEAST_DISTANCE)


def _right(down_KX: Tensor) -> Tensor:
    return torch.stack([down_KX[:, 1], -down_KX[:, 0]], dim=1)


def _square(crops_KCHW: Tensor, center_KX: Tensor, down_KX: Tensor, side_px: int) -> Tensor:
    """The square around a centre whose lower side is `down` away from it."""
    # grid_sample counts from -1 to 1: twice the shares, less one.
    transform_K23 = torch.stack([2 * _right(down_KX), 2 * down_KX, 2 * center_KX - 1], dim=2)
    grid = F.affine_grid(transform_K23, [len(crops_KCHW), 3, side_px, side_px], align_corners=False)
    return F.grid_sample(crops_KCHW, grid, align_corners=False)


class FaceMLP(nn.Module):
    """Features of E_f -> tokens that Face Attn reads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), Linear(width, width), nn.SiLU(), Linear(width, width))

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


class ExpressionHead(nn.Module):
    """Features of E_f -> the 52 facial units; used only to pretrain E_f, never at inference."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.read = Linear(width, len(ARKIT_UNITS))

    def forward(self, features_KC: Tensor) -> Tensor:
        """Units (K, 52), in standard deviations from their means."""
        return self.read(features_KC)
