"""The transformer's plain layers, named as the public Wan weights name them.

Legend: B batch, N frames, L tokens of a frame, D width.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.linear import Linear

# Wan's time embedding was trained on timesteps of 0 to 1000; ours run from 0 to 1.
TIMESTEP_SCALE = 1000.0
# 2u = 2 sqrt(2 / pi) (x + 0.044715 x^3)
_GELU_LINEAR, _GELU_CUBIC = 2 * math.sqrt(2 / math.pi), 0.044715


class FP32LayerNorm(nn.LayerNorm):
    """Layer norm computed in single precision whatever the weights' type; the result is single precision too."""

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.float()
        return F.layer_norm(x.float(), self.normalized_shape, self._weight(x), bias, self.eps)

    def _weight(self, x: Tensor) -> Tensor | None:
        if self.weight is not None:
            return self.weight.float()
        # On CPUs PyTorch is twice as fast with a weight as without: one of ones.
        return x.new_ones(self.normalized_shape, dtype=torch.float32) if x.is_cpu else None


def tanh_gelu(x: Tensor) -> Tensor:
    """The tanh GELU, where it counts as x sigmoid(2u): the same function of u.

    On CPUs PyTorch's tanh costs as much as a small matrix product, its sigmoid a third, and compiled a quarter.
    """
    if x.is_cpu and torch.compiler.is_compiling():
        return x * torch.sigmoid(x * (x * x * (_GELU_CUBIC * _GELU_LINEAR) + _GELU_LINEAR))
    if not x.is_cpu or torch.is_grad_enabled():
        return F.gelu(x, approximate="tanh")
    # In place, which a gradient would not survive: new memory would cost more than the sums.
    twice_u = (x * x).mul_(_GELU_CUBIC * _GELU_LINEAR).add_(_GELU_LINEAR).mul_(x)
    return twice_u.sigmoid_().mul_(x)


class _GeluProjection(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.proj = Linear(dim, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return tanh_gelu(self.proj(x))


class FeedForward(nn.Module):
    """Two linear layers around a tanh GELU."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        # The base keeps a dropout at index 1; its place is held so that the names of the weights agree.
        self.net = nn.Sequential(_GeluProjection(dim, hidden), nn.Identity(), Linear(hidden, dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class _Perceptron(nn.Module):
    def __init__(self, inputs: int, dim: int, activation: nn.Module) -> None:
        super().__init__()
        self.linear_1 = Linear(inputs, dim)
        self.activation = activation
        self.linear_2 = Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(self.activation(self.linear_1(x)))


def sinusoids(timesteps: Tensor, size: int) -> Tensor:
    """Cosines, then sines, of each timestep at `size / 2` geometric frequencies; a last axis of `size` is added."""
    half = size // 2
    frequencies = torch.exp(torch.arange(half, device=timesteps.device) * (-math.log(10_000.0) / half))
    angles = timesteps[..., None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class ConditionEmbedder(nn.Module):
    """Timesteps, one a frame, and the cached prompt, if the base has text."""

    def __init__(self, dim: int, frequency_dim: int, text_dim: int | None) -> None:
        super().__init__()
        self.frequency_dim = frequency_dim
        self.time_embedder = _Perceptron(frequency_dim, dim, nn.SiLU())
        self.time_proj = Linear(dim, 6 * dim)
        self.text_embedder = None if text_dim is None else _Perceptron(text_dim, dim, nn.GELU(approximate="tanh"))

    def forward(self, timesteps_BN: Tensor) -> tuple[Tensor, Tensor]:
        """The time embedding (B, N, D) and its six modulations (B, N, 6, D), both in single precision."""
        waves = sinusoids(timesteps_BN * TIMESTEP_SCALE, self.frequency_dim)
        embedding_BND = self.time_embedder(waves.type_as(self.time_embedder.linear_1.weight))
        modulation = self.time_proj(F.silu(embedding_BND).type_as(self.time_proj.weight))
        return embedding_BND.float(), modulation.float().unflatten(-1, (6, -1))


class Modulation(NamedTuple):
    """What a frame's timestep does to a block: each (B, N, 1, D), the same for all tokens of a frame."""

    shift: Tensor
    scale: Tensor
    gate: Tensor
    ffn_shift: Tensor
    ffn_scale: Tensor
    ffn_gate: Tensor
