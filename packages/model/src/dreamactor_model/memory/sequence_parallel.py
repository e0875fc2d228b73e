"""Sequence parallelism (the Ulysses kind): the tokens of every frame are split over processes, exactly.

Each process computes a slice of every frame's tokens, so that modulation, text, Face Attn, the queries of Ref Attn and
the FFN need nobody else. For self-attention the processes exchange tokens for heads, and back; for Ref Attn they gather
the references' keys and values. Noise, conditions and weights are the same in all of them, and so is the velocity.

Training: every process has a part of each gradient, and the mean over the processes is the whole one, as data-parallel
training takes it anyway.

Legend: B batch, F frames, L tokens of a frame, S tokens of a context, H heads, E width of a head, D width,
P processes, l h tokens of a frame and heads of one process.
"""

import torch
import torch.distributed as dist
from dreamactor_core.errors import SettingsError
from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.dit.attention import KeysValues, attend


def sequence_group(size: int) -> dist.ProcessGroup:
    """This rank's group, when neighbouring ranks share clips; all ranks must ask at the same time.

    Raises:
        SettingsError: the ranks cannot be dealt out evenly.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    if ranks % size:
        raise SettingsError(
            f"{ranks} ranks cannot share clips by {size}", remedy="Let training.sequence_parallel divide them"
        )
    groups = [dist.new_group(list(range(first, first + size))) for first in range(0, ranks, size)]
    own: dist.ProcessGroup = groups[rank // size]
    return own


def split_sequence(actor: DreamActor, group: dist.ProcessGroup) -> None:
    """Let this process compute its share of every frame; all processes of the group must do the same.

    Raises:
        SettingsError: the heads cannot be dealt out evenly.
    """
    heads, processes = actor.config.heads, dist.get_world_size(group)
    if heads % processes:
        raise SettingsError(
            f"{heads} heads cannot be split over {processes} processes",
            remedy=f"Use a number of processes that divides {heads}",
        )
    share = SequenceShare(group)
    actor.dit.share = share
    for block in actor.dit.blocks:
        block.attn1.attend = share.attend_by_heads
        block.ref_attn.attend = share.attend_to_all


class SequenceShare:
    """The tokens of one process: a slice of every frame's, padded where they do not divide evenly."""

    def __init__(self, group: dist.ProcessGroup) -> None:
        self._group = group
        self._rank, self._count = dist.get_rank(group), dist.get_world_size(group)
        # Of the frames at hand: every pass begins by taking its share of them.
        self._frame_tokens = 0

    def mine(self, x: Tensor, axis: int) -> Tensor:
        """This process's slice of an axis that holds one frame's tokens."""
        self._frame_tokens = x.shape[axis]
        tokens = torch.arange(self._own, device=x.device) + self._rank * self._own
        # Padding repeats the last token: whatever is computed of it is dropped when the slices come together.
        return x.index_select(axis, tokens.clamp(max=self._frame_tokens - 1))

    def all(self, x_BFlD: Tensor) -> Tensor:
        """Every process's tokens again, (B, F, L, D)."""
        return self._joined(self._gather(x_BFlD))

    def attend_by_heads(self, q_BlHE: Tensor, context: KeysValues) -> Tensor:
        """Every process attends from all tokens to all, for its own heads."""
        batch, queries = q_BlHE.shape[:2]
        k_BSHE, v_BSHE = (part.expand(batch, -1, -1, -1) for part in context)
        lengths = [queries, k_BSHE.shape[1], v_BSHE.shape[1]]
        mine = torch.cat([q_BlHE, k_BSHE, v_BSHE], dim=1).unflatten(2, (self._count, -1))
        q_PBlhE, k_PBShE, v_PBShE = self._exchange(mine.movedim(2, 0)).split(lengths, dim=2)
        mixed_BLhE = attend(
            q_PBlhE.movedim(0, 1).flatten(1, 2), KeysValues(self._all_tokens(k_PBShE), self._all_tokens(v_PBShE))
        )
        mixed_PBlhE = self._exchange(mixed_BLhE.unflatten(1, (self._count, -1)).movedim(1, 0))
        return mixed_PBlhE.movedim(0, 2).flatten(2, 3)

    def attend_to_all(self, q_BlHE: Tensor, context: KeysValues) -> Tensor:
        """This process's tokens attend to everybody's."""
        k_BSHE, v_BSHE = (self._all_tokens(self._gather(part)) for part in context)
        return attend(q_BlHE, KeysValues(k_BSHE, v_BSHE))

    @property
    def _own(self) -> int:
        """Tokens of a frame that each process has, with padding."""
        return -(-self._frame_tokens // self._count)

    def _all_tokens(self, x_PBSHE: Tensor) -> Tensor:
        """What processes hold of the tokens of a run of frames -> those tokens (B, S, H, E), without padding."""
        return self._joined(x_PBSHE.unflatten(2, (-1, self._own))).flatten(1, 2)

    def _joined(self, x_PBFl: Tensor) -> Tensor:
        """Slices (P, B, F, l, ...) -> frames (B, F, L, ...)."""
        return x_PBFl.movedim(0, 2).flatten(2, 3)[:, :, : self._frame_tokens]

    def _gather(self, x: Tensor) -> Tensor:
        """Everybody's x, (P, ...)."""
        return self._exchange(x.expand(self._count, *x.shape))

    def _exchange(self, x_P: Tensor) -> Tensor:
        """Give part p to process p, and get what it has for this one at p."""
        exchanged: Tensor = _Exchange.apply(x_P, self._group)
        return exchanged


class _Exchange(torch.autograd.Function):
    """All-to-all along the first axis; it is its own transpose."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, x_P: Tensor, group: dist.ProcessGroup) -> Tensor:
        context.group = group  # type: ignore[attr-defined]
        return _all_to_all(x_P, group)

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *grads_P: Tensor) -> tuple[Tensor, None]:
        return _all_to_all(grads_P[0], context.group), None  # type: ignore[attr-defined]


def _all_to_all(x_P: Tensor, group: dist.ProcessGroup) -> Tensor:
    received = torch.empty_like(x_P, memory_format=torch.contiguous_format)
    dist.all_to_all_single(received, x_P.contiguous(), group=group)
    return received
