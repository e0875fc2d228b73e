"""The attention of the Wan base: RMS-normed queries and keys across all heads, rotary positions, SDPA.

Legend: B batch, L query tokens, S context tokens, D width, H heads, E width of a head.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.dit.rope import Rotation, rotate


class Attention(nn.Module):
    """Queries attend to a context (themselves, for self-attention)."""

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim)
        self.to_k = nn.Linear(dim, dim)
        self.to_v = nn.Linear(dim, dim)
        # A list of one: the base's names say `to_out.0`.
        self.to_out = nn.ModuleList([nn.Linear(dim, dim)])
        self.norm_q = nn.RMSNorm(dim, eps=eps)
        self.norm_k = nn.RMSNorm(dim, eps=eps)

    def forward(
        self,
        x_BLD: Tensor,
        context_BSD: Tensor,
        rotation: Rotation | None = None,
        context_rotation: Rotation | None = None,
    ) -> Tensor:
        """Attend. A context of batch 1 serves the whole batch.

        Returns: (B, L, D), after the output projection.
        """
        q_BLHE = self._heads(self.norm_q(self.to_q(x_BLD)), rotation)
        k_BSHE = self._heads(self.norm_k(self.to_k(context_BSD)), context_rotation)
        v_BSHE = self._heads(self.to_v(context_BSD), None)
        batch = len(x_BLD)
        mixed_BHLE = F.scaled_dot_product_attention(
            q_BLHE.transpose(1, 2),
            k_BSHE.transpose(1, 2).expand(batch, -1, -1, -1),
            v_BSHE.transpose(1, 2).expand(batch, -1, -1, -1),
        )
        return self.to_out[0](mixed_BHLE.transpose(1, 2).flatten(2))

    def _heads(self, x_BLD: Tensor, rotation: Rotation | None) -> Tensor:
        x_BLHE = x_BLD.unflatten(-1, (self.heads, -1))
        return x_BLHE if rotation is None else rotate(x_BLHE, rotation)

    def start_from(self, source: "Attention") -> None:
        """Take another attention's queries, keys and values, and add nothing yet: the output is zero."""
        self.load_state_dict(source.state_dict())
        nn.init.zeros_(self.to_out[0].weight)
        nn.init.zeros_(self.to_out[0].bias)
