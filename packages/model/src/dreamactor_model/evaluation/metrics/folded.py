"""Convolutions with their batch statistics folded in, as every network read here has them.

Legend: O I outputs and inputs, H W rows and columns of a kernel.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def folded_convolution(
    tensors: Mapping[str, Tensor],
    convolution: str,
    norm: str,
    *,
    epsilon: float,
    stride: int = 1,
    padding: tuple[int, int] = (0, 0),
    groups: int = 1,
) -> nn.Conv2d:
    """One layer that does what a convolution without bias and the batch norm after it do, once they have learnt.

    Args:
        tensors: of the whole network, by PyTorch's names.
        convolution, norm: their prefixes.
        epsilon: of the norm.
    """
    kernel_OIHW = tensors[f"{convolution}.weight"].float()
    scale_O = tensors[f"{norm}.weight"].float() / (tensors[f"{norm}.running_var"].float() + epsilon).sqrt()
    bias_O = tensors[f"{norm}.bias"].float() - tensors[f"{norm}.running_mean"].float() * scale_O
    outputs, inputs, height, width = kernel_OIHW.shape
    layer = nn.Conv2d(inputs * groups, outputs, (height, width), stride=stride, padding=padding, groups=groups)
    layer.load_state_dict({"weight": kernel_OIHW * scale_O[:, None, None, None], "bias": bias_O})
    return layer


def frozen(network: nn.Module) -> nn.Module:
    """Ready to be asked, never to learn."""
    return network.requires_grad_(False).eval().to(memory_format=torch.channels_last)
