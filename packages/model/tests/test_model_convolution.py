"""The convolution that is fast on CPUs equals PyTorch's, forward and backward."""

import pytest
import torch
from dreamactor_model.convolution import Conv3d
from torch import nn


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, (3, 1, 1)])
@pytest.mark.parametrize("stride", [1, 2, (2, 1, 1)])
@pytest.mark.parametrize("frames", [3, 4, 7])
def test_equals_pytorch_s(
    batch: int, kernel: int | tuple[int, ...], stride: int | tuple[int, ...], frames: int
) -> None:
    torch.manual_seed(0)
    ours = Conv3d(4, 5, kernel, stride, padding=(0, 1, 1)).double()
    theirs = nn.Conv3d(4, 5, kernel, stride, padding=(0, 1, 1)).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(batch, 4, frames, 6, 8, dtype=torch.float64, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    ours(x).square().sum().backward()
    theirs(y).square().sum().backward()
    torch.testing.assert_close(ours(x), theirs(y))
    torch.testing.assert_close(x.grad, y.grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


def test_padding_in_time_stays_pytorch_s() -> None:
    ours = Conv3d(2, 2, 3, padding=1)
    assert ours(torch.randn(1, 2, 3, 4, 4)).shape == (1, 2, 3, 4, 4)
