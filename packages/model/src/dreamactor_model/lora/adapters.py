"""LoRA: a projection learns by the product of two narrow matrices beside its own, which stays as it is.

Adapted are the projections of self-, text and Ref Attn and of the FFN in every block. Face Attn stays: what its tokens
mean belongs to the face encoder, not to a character.

Legend: I inputs, O outputs, R rank.
"""

import torch
from torch import Tensor, nn

from dreamactor_model.actor import DreamActor
from dreamactor_model.linear import Linear, linear

_ADAPTED = ("attn1", "attn2", "ref_attn", "ffn")


class AdaptedLinear(Linear):
    """x W^T + b + scale (x down^T) up^T. It adds nothing at first: `up` begins as zeros.

    Args:
        source: its weight and bias are taken over, under their names, and stop learning.
        scale: alpha / rank.
    """

    def __init__(self, source: nn.Linear, rank: int, scale: float) -> None:
        super().__init__(source.in_features, source.out_features, bias=source.bias is not None, device="meta")
        self.weight, self.bias = source.weight, source.bias
        self.requires_grad_(False)
        self.scale = scale
        self.down_RI = nn.Parameter(torch.empty(rank, source.in_features, device=source.weight.device))
        self.up_OR = nn.Parameter(torch.zeros(source.out_features, rank, device=source.weight.device))
        nn.init.kaiming_uniform_(self.down_RI, a=5**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Both ways to the result."""
        return super().forward(x) + self.scale * linear(linear(x, self.down_RI), self.up_OR)

    @torch.no_grad()
    def merged(self) -> Linear:
        """One matrix that does the same."""
        plain = Linear(self.in_features, self.out_features, bias=self.bias is not None, device="meta")
        change_OI = self.scale * (self.up_OR.double() @ self.down_RI.double())
        plain.weight = nn.Parameter((self.weight.double() + change_OI).type_as(self.weight))
        plain.bias = self.bias
        return plain


def add_adapters(actor: DreamActor, rank: int, alpha: float) -> None:
    """Let nothing of the actor learn but new adapters."""
    actor.requires_grad_(False)
    for parent, name, projection in _projections(actor, nn.Linear):
        setattr(parent, name, AdaptedLinear(projection, rank, alpha / rank))


def adapter_state(actor: DreamActor) -> dict[str, Tensor]:
    """The adapters' weights alone, by their names in the actor."""
    return {name: tensor for name, tensor in actor.state_dict().items() if name.endswith((".down_RI", ".up_OR"))}


def merge_adapters(actor: DreamActor) -> None:
    """Make of adapted projections plain ones that do the same."""
    for parent, name, projection in _projections(actor, AdaptedLinear):
        setattr(parent, name, projection.merged())


def _projections(actor: DreamActor, kind: type[nn.Linear]) -> list[tuple[nn.Module, str, nn.Linear]]:
    """The projections to adapt: where each hangs, its name there, itself."""
    found = []
    for block in actor.dit.blocks:
        for place in _ADAPTED:
            branch = getattr(block, place)
            for parent in branch.modules() if branch is not None else ():
                found += [(parent, name, child) for name, child in parent.named_children() if isinstance(child, kind)]
    return found
