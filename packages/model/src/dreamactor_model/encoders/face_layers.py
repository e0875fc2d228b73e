"""Small layers that finding and reading faces share.

Legend: K pictures, C channels, H W rows and columns.
"""

from torch import Tensor, nn
from torch.nn import functional as F

_GROUP_CHANNELS = 8


def normalised(channels: int) -> nn.Module:
    """Groups, not batches: a crop's token must not depend on the crops beside it."""
    return nn.GroupNorm(channels // _GROUP_CHANNELS, channels)


def convolved(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution, evened out and bent."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
    return nn.Sequential(convolution, normalised(outputs), nn.SiLU())


def even(pictures_KCHW: Tensor) -> Tensor:
    """Zero mean and unit spread of each picture's colours: lamps and cameras differ in little else."""
    spread_KC11 = pictures_KCHW.std(dim=(2, 3), keepdim=True)
    return (pictures_KCHW - pictures_KCHW.mean(dim=(2, 3), keepdim=True)) / (spread_KC11 + 0.02)


class Residual(nn.Module):
    """Two convolutions added to what they are given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolved(channels, channels), nn.Conv2d(channels, channels, 3, padding=1), normalised(channels)
        )

    def forward(self, x_KCHW: Tensor) -> Tensor:
        return F.silu(x_KCHW + self.layers(x_KCHW))
