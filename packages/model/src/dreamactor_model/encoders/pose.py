"""The pose encoder E_p (paper 3.2): skeleton and head-sphere maps -> pose features on the grid of the latents.

Legend: B batch, C channels, T video frames, F latent frames, H W rows and columns.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.convolution import Conv3d
from dreamactor_model.presets import CONTROL_CHANNELS, TEMPORAL_STRIDE, ActorConfig


class CausalConv3d(Conv3d):
    """A 3x3x3 convolution that never looks ahead: frames before the first are taken to equal it.

    With a temporal stride of 2, 2n + 1 frames become n + 1, and output i has seen inputs up to 2i.
    """

    def __init__(self, inputs: int, outputs: int, temporal_stride: int, spatial_stride: int) -> None:
        stride = (temporal_stride, spatial_stride, spatial_stride)
        super().__init__(inputs, outputs, kernel_size=3, stride=stride, padding=(0, 1, 1))

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        return super().forward(F.pad(x_BCTHW, (0, 0, 0, 0, 2, 0), mode="replicate"))


class _ChannelNorm(nn.Module):
    """RMS norm over channels at each place and time: statistics over time would look ahead."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain_C = nn.Parameter(torch.ones(channels))

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        size = x_BCTHW.pow(2).mean(dim=1, keepdim=True).add(1e-6).rsqrt()
        return x_BCTHW * size * self.gain_C.view(-1, 1, 1, 1)


class PoseEncoder(nn.Module):
    """Causal strided 3-D convolutions; strides are those of the VAE, so that pose and latent lie on one grid."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        halvings = int(math.log2(config.spatial_stride))
        time_halvings = int(math.log2(TEMPORAL_STRIDE))
        layers: list[nn.Module] = []
        inputs = CONTROL_CHANNELS
        for level in range(halvings):
            outputs = config.pose_width * 2 ** min(level, 2)
            # Time is halved last, where frames are small already.
            stride = 2 if level >= halvings - time_halvings else 1
            layers += [CausalConv3d(inputs, outputs, stride, 2), _ChannelNorm(outputs), nn.SiLU()]
            inputs = outputs
        layers.append(CausalConv3d(inputs, config.pose_channels, 1, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, control_BCTHW: Tensor) -> Tensor:
        """Control maps (B, 6, 4F - 3, H, W) in [0, 1] -> (B, C, F, H / stride, W / stride)."""
        return self.layers(control_BCTHW.type_as(self.layers[0].weight))
