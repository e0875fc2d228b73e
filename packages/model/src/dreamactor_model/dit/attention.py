"""The attention of the Wan base: RMS-normed queries and keys across all heads, rotary positions, SDPA.

Keys and values are made apart from the queries: what a clip's tokens attend to is often the same at every step.

Legend: B batch, L query tokens, S context tokens, D width, H heads, E width of a head.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.dit.rope import Rotation, rotate
from dreamactor_model.linear import Linear

# Products of all scores up to which it is spelled out: the scores are then kept for the backward pass.
_SPELLED_OUT = 2**32


class KeysValues(NamedTuple):
    """A context as attention reads it: keys, normed and turned, and values, both (B, S, H, E)."""

    k_BSHE: Tensor
    v_BSHE: Tensor

    def followed_by(self, others: "KeysValues") -> "KeysValues":
        """Both contexts, one after the other."""
        k_BSHE, v_BSHE = (torch.cat(pair, dim=1) for pair in zip(self, others, strict=True))
        return KeysValues(k_BSHE, v_BSHE)


def attend(q_BLHE: Tensor, context: KeysValues) -> Tensor:
    """Softmax attention, head by head: (B, L, H, E). A context of batch 1 serves the whole batch."""
    batch = len(q_BLHE)
    q_BHLE = q_BLHE.transpose(1, 2)
    k_BHSE = context.k_BSHE.transpose(1, 2).expand(batch, -1, -1, -1)
    v_BHSE = context.v_BSHE.transpose(1, 2).expand(batch, -1, -1, -1)
    if q_BLHE.is_cpu and q_BLHE.dtype == torch.bfloat16 and q_BHLE.numel() * k_BHSE.shape[2] <= _SPELLED_OUT:
        return _spelled_out(q_BHLE, k_BHSE, v_BHSE).transpose(1, 2)
    return F.scaled_dot_product_attention(q_BHLE, k_BHSE, v_BHSE).transpose(1, 2)


def _spelled_out(q_BHLE: Tensor, k_BHSE: Tensor, v_BHSE: Tensor) -> Tensor:
    """The same, sum by sum: on CPUs PyTorch's fused kernel does not use what they have for bfloat16."""
    scores_BHLS = (q_BHLE * q_BHLE.shape[-1] ** -0.5) @ k_BHSE.transpose(-1, -2)
    return scores_BHLS.softmax(dim=-1) @ v_BHSE


class Attention(nn.Module):
    """Queries attend to a context (themselves, for self-attention)."""

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = Linear(dim, dim)
        self.to_k = Linear(dim, dim)
        self.to_v = Linear(dim, dim)
        # A list of one: the base's names say `to_out.0`.
        self.to_out = nn.ModuleList([Linear(dim, dim)])
        self.norm_q = nn.RMSNorm(dim, eps=eps)
        self.norm_k = nn.RMSNorm(dim, eps=eps)
        # Another one where a sequence is split over processes.
        self.attend = attend

    def keys_values(self, context_BSD: Tensor, rotation: Rotation | None = None) -> KeysValues:
        """The context's keys and values."""
        keys = self._heads(self.norm_k(self.to_k(context_BSD)), rotation)
        return KeysValues(keys, self._heads(self.to_v(context_BSD), None))

    def forward(self, x_BLD: Tensor, context: KeysValues, rotation: Rotation | None = None) -> Tensor:
        """Attend. A context of batch 1 serves the whole batch.

        Returns: (B, L, D), after the output projection.
        """
        q_BLHE = self._heads(self.norm_q(self.to_q(x_BLD)), rotation)
        return self.to_out[0](self.attend(q_BLHE, context).flatten(2))

    def _heads(self, x_BLD: Tensor, rotation: Rotation | None) -> Tensor:
        x_BLHE = x_BLD.view(*x_BLD.shape[:-1], self.heads, -1)
        return x_BLHE if rotation is None else rotate(x_BLHE, rotation)

    def start_from(self, source: "Attention") -> None:
        """Take another attention's queries, keys and values, and add nothing yet: the output is zero."""
        self.load_state_dict(source.state_dict())
        nn.init.zeros_(self.to_out[0].weight)
        nn.init.zeros_(self.to_out[0].bias)
