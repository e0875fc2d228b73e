"""The face motion encoder E_f and its MLP (paper 3.2): face crops -> face motion tokens, one a video frame.

Legend: B batch, T video frames, C channels or token width, H W rows and columns, K crops of all clips, U facial units.
"""

from dreamactor_core.face_units import ARKIT_UNITS
from torch import Tensor, nn

from dreamactor_model.presets import FACE_CROP_PX, ActorConfig

_GROUP_CHANNELS = 8
# A stem of stride 4 and three levels of stride 2.
_DOWNSAMPLING = 32


def _normalised(channels: int) -> nn.Module:
    # Groups, not batches: a crop's token must not depend on the crops beside it.
    return nn.GroupNorm(channels // _GROUP_CHANNELS, channels)


class _Level(nn.Module):
    """Half the resolution, then one residual convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), _normalised(outputs), nn.SiLU())
        self.refine = nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1), _normalised(outputs), nn.SiLU())

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return x + self.refine(x)


class FaceMotionEncoder(nn.Module):
    """E_f: a crop of 224 x 224 -> what the face does, `face_width` numbers."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        stem = config.face_stem
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 7, stride=4, padding=3), _normalised(stem), nn.SiLU())
        self.levels = nn.Sequential(_Level(stem, 2 * stem), _Level(2 * stem, 4 * stem), _Level(4 * stem, 4 * stem))
        # Places stay apart up to here: an average over the crop would mix the eyes into the mouth.
        side = FACE_CROP_PX // _DOWNSAMPLING
        self.readout = nn.Linear(4 * stem * side * side, config.face_width)

    def forward(self, crops_KCHW: Tensor) -> Tensor:
        """Crops (K, 3, 224, 224) in [0, 1] -> features (K, face_width)."""
        return self.readout(self.levels(self.stem(2 * crops_KCHW - 1)).flatten(1))


class FaceMLP(nn.Module):
    """Features of E_f -> tokens that Face Attn reads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


class ExpressionHead(nn.Module):
    """Features of E_f -> the 52 facial units; used only to pretrain E_f, never at inference."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(ARKIT_UNITS)))

    def forward(self, features_KC: Tensor) -> Tensor:
        """Units (K, 52), each in [0, 1]."""
        return self.layers(features_KC).sigmoid()
