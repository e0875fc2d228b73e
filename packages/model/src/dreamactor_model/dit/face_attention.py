"""Face Attn (paper 3.2): every video token attends to the face motion tokens of its own latent frame, and to no others.

A token may also attend to nothing: a key that scores 0 for everybody and adds 0. Without it the few tokens of a frame
would share all attention, and add nearly the same to the background as to the mouth.

Legend: B batch, F latent frames, T video frames, L tokens of a frame, M face tokens of a latent frame,
C width of a face token, D width, H heads, E width of a head, X = H M.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dreamactor_model.linear import Linear
from dreamactor_model.presets import TEMPORAL_STRIDE


def group_face_tokens(face_BTC: Tensor) -> Tensor:
    """One token a video frame -> those of each latent frame, (B, F, 4, C).

    Latent frame 0 stands for one video frame: its token is repeated, to weigh as much against nothing as four do.
    """
    first = face_BTC[:, :1, None].expand(-1, -1, TEMPORAL_STRIDE, -1)
    others = face_BTC[:, 1:].unflatten(1, (-1, TEMPORAL_STRIDE))
    return torch.cat([first, others], dim=1)


class FoldedFace(NamedTuple):
    """The face tokens of each latent frame, met by the projections of queries and output; the same at every step."""

    key_BFXD: Tensor
    bias_BFX: Tensor
    value_BFXD: Tensor


class FaceAttention(nn.Module):
    """Cross-attention within each latent frame, folded.

    A frame has only M keys a head, so queries and outputs are never projected token by token: Wq K^T and V Wo are
    formed once a frame, (D, H M) each, and the tokens meet those. The result is the unfolded attention's, exactly; it
    needs queries and keys without a norm of their own. A zero face token leaves the biases of keys and values: they are
    the learned "no motion".
    """

    def __init__(self, dim: int, heads: int, face_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = Linear(dim, dim)
        self.to_k = Linear(face_width, dim)
        self.to_v = Linear(face_width, dim)
        self.to_out = nn.ModuleList([Linear(dim, dim)])
        nn.init.zeros_(self.to_out[0].weight)
        nn.init.zeros_(self.to_out[0].bias)

    def fold(self, face_BFMC: Tensor) -> FoldedFace:
        """What the tokens of each latent frame attend to."""
        face_BFMC = face_BFMC.type_as(self.to_k.weight)
        k_BFMHE = self.to_k(face_BFMC).unflatten(-1, (self.heads, -1))
        v_BFMHE = self.to_v(face_BFMC).unflatten(-1, (self.heads, -1))
        key_BFHMD, bias_BFHM = self._fold_queries(k_BFMHE)
        out_HED = self.to_out[0].weight.T.unflatten(0, (self.heads, -1))
        value_BFHMD = torch.einsum("bfmhe,hed->bfhmd", v_BFMHE, out_HED)
        return FoldedFace(key_BFHMD.flatten(2, 3), bias_BFHM.flatten(2), value_BFHMD.flatten(2, 3))

    def forward(self, x_BFLD: Tensor, face: FoldedFace) -> Tensor:
        """Attend to the tokens or to nothing: (B, F, L, D), after the output projection."""
        scores_BFLX = x_BFLD @ face.key_BFXD.transpose(-1, -2) + face.bias_BFX.unsqueeze(2)
        scores_BFLHM = scores_BFLX.unflatten(-1, (self.heads, -1))
        # A softmax over one score of 0 more, whose own share is left out.
        share_BFLH1 = scores_BFLHM.logsumexp(dim=-1, keepdim=True).sigmoid()
        weights_BFLX = (scores_BFLHM.softmax(dim=-1) * share_BFLH1).flatten(-2)
        return weights_BFLX @ face.value_BFXD + self.to_out[0].bias

    def _fold_queries(self, k_BFMHE: Tensor) -> tuple[Tensor, Tensor]:
        k_BFMHE = k_BFMHE / math.sqrt(k_BFMHE.shape[-1])
        query_HED = self.to_q.weight.unflatten(0, (self.heads, -1))
        query_bias_HE = self.to_q.bias.unflatten(0, (self.heads, -1))
        key_BFHMD = torch.einsum("bfmhe,hed->bfhmd", k_BFMHE, query_HED)
        return key_BFHMD, torch.einsum("bfmhe,he->bfhm", k_BFMHE, query_bias_HE)
