"""Activation checkpointing: what of a block is kept for the backward pass, and what is computed again.

`full` keeps a block's input alone. `selective` keeps also the results of attention and of the matrix products that are
no wider than a token, which are most of a block's time and little of its memory: what is left to compute again is
element-wise work and the one product that widens.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from dreamactor_core.settings.training import ActivationCheckpointing
from torch import Tensor
from torch.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts

_aten = torch.ops.aten
_ATTENTIONS = frozenset(
    {
        _aten._scaled_dot_product_flash_attention_for_cpu.default,
        _aten._scaled_dot_product_flash_attention.default,
        _aten._scaled_dot_product_efficient_attention.default,
        _aten._scaled_dot_product_cudnn_attention.default,
    }
)
_MATRIX_PRODUCTS = frozenset(
    {_aten.mm.default, _aten.addmm.default, _aten.linear.default, torch.ops.dreamactor.linear.default}
)


def run_checkpointed(
    kind: ActivationCheckpointing, width: int, block: Callable[..., Tensor], *inputs: object
) -> Tensor:
    """`block(*inputs)`, its activations kept for the backward pass as `kind` says.

    Args:
        width: of a token; wider results of matrix products are computed again.
    """
    if kind == "none" or not torch.is_grad_enabled():
        return block(*inputs)
    options: dict[str, Any] = {}
    if kind == "selective":
        options["context_fn"] = partial(create_selective_checkpoint_contexts, partial(_policy, width))
    # Nothing in a block is random. Metadata are not compared: sharded weights (ZeRO 3) have other shapes when at rest.
    result: Tensor = checkpoint(
        block, *inputs, use_reentrant=False, preserve_rng_state=False, determinism_check="none", **options
    )
    return result


def _policy(width: int, _: object, operator: object, *inputs: Any, **__: object) -> CheckpointPolicy:
    if operator in _ATTENTIONS or (operator in _MATRIX_PRODUCTS and _output_width(operator, inputs) <= width):
        return CheckpointPolicy.MUST_SAVE
    return CheckpointPolicy.PREFER_RECOMPUTE


def _output_width(operator: object, inputs: tuple[Any, ...]) -> int:
    if operator is _aten.mm.default:
        return int(inputs[1].shape[1])
    if operator is _aten.addmm.default:
        return int(inputs[2].shape[1])
    return int(inputs[1].shape[0])
