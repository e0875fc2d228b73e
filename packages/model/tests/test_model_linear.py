"""The faster matrix product is PyTorch's own, forward and backward, in whatever layout its inputs come."""

import pytest
import torch
from dreamactor_model.linear import Linear, linear
from torch import Tensor, nn
from torch.nn import functional as F

# Above and below the size from which the faster product is taken.
SIZES = [(480, 96, 128), (3, 8, 16)]


def _operands(rows: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, rows, inputs), torch.randn(outputs, inputs), torch.randn(outputs)


@pytest.mark.parametrize("size", SIZES)
def test_equals_pytorch_s(size: tuple[int, int, int]) -> None:
    x, weight, bias = _operands(*size)
    torch.testing.assert_close(linear(x, weight, bias), F.linear(x, weight, bias), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(linear(x, weight), F.linear(x, weight), rtol=1e-5, atol=1e-4)


def test_layouts_of_the_operands_do_not_matter() -> None:
    x, weight, bias = _operands(*SIZES[0])
    wide_x, wide_weight = torch.cat([x, x], dim=2), torch.cat([weight, weight], dim=1)
    expected = F.linear(x, weight, bias)
    parts = wide_x[..., : x.shape[2]], wide_weight[:, : x.shape[2]]
    transposed = x.transpose(0, 1).contiguous().transpose(0, 1), weight.T.contiguous().T
    for operands in (parts, transposed):
        assert not operands[0].is_contiguous()
        assert not operands[1].is_contiguous()
        torch.testing.assert_close(linear(*operands, bias), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("has_bias", [True, False])
def test_gradients_equal_pytorch_s(size: tuple[int, int, int], has_bias: bool) -> None:
    x, weight, bias = _operands(*size)
    gradients = []
    for product in (linear, F.linear):
        leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
        product(leaves[0], leaves[1], leaves[2] if has_bias else None).square().mean().backward()
        gradients.append([leaf.grad for leaf in leaves if leaf.grad is not None])
    assert len(gradients[0]) == 2 + has_bias
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)


def test_frozen_operands_get_no_gradient() -> None:
    x, weight, bias = _operands(*SIZES[0])
    weight.requires_grad_()
    linear(x, weight, bias).sum().backward()
    assert weight.grad is not None
    assert x.grad is None


def test_other_types_take_pytorch_s_way() -> None:
    x, weight, bias = (tensor.double() for tensor in _operands(*SIZES[0]))
    assert torch.equal(linear(x, weight, bias), F.linear(x, weight, bias))


@pytest.mark.slow
def test_compiled_whole_with_its_gradients() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(Linear(96, 128), nn.SiLU(), Linear(128, 96))
    compiled = torch.compile(plain, fullgraph=True, dynamic=False)
    x = torch.randn(480, 96)
    expected = plain(x)
    torch.testing.assert_close(compiled(x), expected, rtol=1e-5, atol=1e-5)
    compiled(x).square().mean().backward()
    found = [parameter.grad.clone() for parameter in plain.parameters() if parameter.grad is not None]
    plain.zero_grad()
    expected.square().mean().backward()
    torch.testing.assert_close(found, [parameter.grad for parameter in plain.parameters()], rtol=1e-4, atol=1e-6)
