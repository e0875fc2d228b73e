"""Matrix products that are fast on CPUs of every make.

PyTorch sends a float32 `nn.Linear` on the CPU to MKL, which leaves half of the vector width of other makers' CPUs
unused. PyTorch brings oneDNN too, which does not: there it runs the same product at twice the speed, forward and
backward (`benchmarks/dit.py`). All other devices and types take PyTorch's own way.

Legend: L rows (any leading axes), I inputs, O outputs.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_HAS_ONEDNN = torch.backends.mkldnn.is_available()
# Multiplications from which the faster product gains more than it costs to call an operator of one's own.
_WORTHWHILE = 2**21


class Linear(nn.Linear):
    """`nn.Linear` by the faster product."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


def linear(x_LI: Tensor, weight_OI: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """x W^T + b, (L, O)."""
    is_large = x_LI.numel() * weight_OI.shape[0] >= _WORTHWHILE
    if _HAS_ONEDNN and is_large and x_LI.is_cpu and x_LI.dtype == weight_OI.dtype == torch.float32:
        return _product(x_LI, weight_OI, bias_O)
    return F.linear(x_LI, weight_OI, bias_O)


# An operator of our own: the compiler would take oneDNN's for one whose weights it packed itself.
_OPERATORS = torch.library.Library("dreamactor", "DEF")
_OPERATORS.define("linear(Tensor x, Tensor weight, Tensor? bias) -> Tensor")


@torch.library.impl(_OPERATORS, "linear", "CPU")
def _on_cpu(x_LI: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
    if not (weight_OI.is_contiguous() or weight_OI.T.is_contiguous()):
        # Of any other layout oneDNN would use its reference loop, a thousand times slower.
        weight_OI = weight_OI.contiguous()
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x_LI, weight_OI, bias_O, "none", [], "")
    return product


@torch.library.register_fake("dreamactor::linear")
def _shape(x_LI: Tensor, weight_OI: Tensor, _: Tensor | None) -> Tensor:
    return x_LI.new_empty(*x_LI.shape[:-1], weight_OI.shape[0])


def _product(x_LI: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
    product: Tensor = torch.ops.dreamactor.linear.default(x_LI, weight_OI, bias_O)
    return product


def _remember(ctx: torch.autograd.function.FunctionCtx, inputs: tuple[Tensor, ...], output: Tensor) -> None:  # noqa: ARG001
    ctx.save_for_backward(*inputs[:2])


def _gradients(ctx: torch.autograd.function.FunctionCtx, grad_LO: Tensor) -> tuple[Tensor | None, ...]:
    x_LI, weight_OI = ctx.saved_tensors  # type: ignore[attr-defined]
    of_x, of_weight, of_bias = ctx.needs_input_grad  # type: ignore[attr-defined]
    grads_LO = grad_LO.flatten(0, -2)
    return (
        _product(grad_LO, weight_OI.T, None) if of_x else None,
        _product(grads_LO.T, x_LI.flatten(0, -2).T, None) if of_weight else None,
        grads_LO.sum(dim=0) if of_bias else None,
    )


torch.library.register_autograd("dreamactor::linear", _gradients, setup_context=_remember)
