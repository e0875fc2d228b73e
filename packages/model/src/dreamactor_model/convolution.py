"""3-D convolution that is fast on CPUs too.

On the CPU, PyTorch sends a batch of one to its unoptimised 3-D convolution, three times slower than its 2-D one. The
sum is the same either way: a kernel of K frames over a video is a 2-D convolution over K frames stacked as channels.

Legend: B batch, C channels, T frames, K frames of the kernel, H W rows and columns, O output channels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Conv3d(nn.Conv3d):
    """`nn.Conv3d` without padding in time; one video on the CPU is computed as a 2-D convolution of stacked frames."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002 - PyTorch's name
        if not input.is_cpu or len(input) != 1 or self.padding[0] != 0:
            return super()._conv_forward(input, weight, bias)
        return conv_stacked(input, weight, bias, self.stride, self.padding)


def conv_stacked(
    x_BCTHW: Tensor, weight_OCKHW: Tensor, bias_O: Tensor | None, stride: tuple[int, ...], padding: tuple[int, ...]
) -> Tensor:
    """A 3-D convolution without padding in time, as a 2-D one over the frames a kernel sees, stacked as channels."""
    kernel = weight_OCKHW.shape[2]
    count = (x_BCTHW.shape[2] - kernel) // stride[0] + 1
    frames = x_BCTHW.transpose(1, 2)
    last = (count - 1) * stride[0] + 1
    stacked = torch.cat([frames[:, k : k + last : stride[0]] for k in range(kernel)], dim=2)
    weight = weight_OCKHW.transpose(1, 2).flatten(1, 2)
    out = F.conv2d(stacked.flatten(0, 1), weight, bias_O, stride[1:], padding[1:])
    return out.unflatten(0, (len(x_BCTHW), count)).transpose(1, 2)
