"""Activation checkpointing: the same gradients to the bit, and what is computed twice."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from dreamactor_core.settings.training import ActivationCheckpointing
from dreamactor_model.actor import DreamActor
from micro_model import MICRO_ACTOR, awake_actor
from torch.utils._python_dispatch import TorchDispatchMode

CONFIG = replace(MICRO_ACTOR, text_dim=8, text_tokens=4)
ATTENTION = "aten::_scaled_dot_product_flash_attention_for_cpu"


class _Calls(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[func._schema.name] += 1
        return func(*args, **(kwargs or {}))


def _train(actor: DreamActor, kind: ActivationCheckpointing) -> tuple[Counter[str], list[torch.Tensor]]:
    torch.manual_seed(1)
    actor.dit.checkpointing = kind
    actor.zero_grad()
    inputs = (torch.randn(2, 4, 3, 8, 8), torch.full((2, 3), 0.5), torch.randn(2, 1, 4, 8, 8))
    with _Calls() as calls:
        velocity = actor(*inputs, torch.randn(2, 3, 3, 8, 8), torch.randn(2, 9, 8))
        velocity.square().mean().backward()
    return calls.counts, [parameter.grad.clone() for parameter in actor.dit.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("kind", ["selective", "full"])
def test_gradients_are_those_without_it(kind: ActivationCheckpointing) -> None:
    actor = awake_actor(CONFIG).train()
    _, plain = _train(actor, "none")
    _, again = _train(actor, kind)
    assert len(plain) > 20
    assert all(torch.equal(one, other) for one, other in zip(plain, again, strict=True))


def test_selective_computes_attention_and_narrow_products_once() -> None:
    actor = awake_actor(CONFIG).train()
    counts = {kind: _train(actor, kind)[0] for kind in ("none", "selective", "full")}
    once = counts["none"][ATTENTION]
    assert once > 0
    assert counts["full"][ATTENTION] == 2 * once
    assert counts["selective"][ATTENTION] == once
    products = {kind: count["aten::addmm"] + count["aten::mm"] for kind, count in counts.items()}
    # The product that widens is computed again, once a block.
    assert products["selective"] == products["none"] + CONFIG.layers
    assert products["full"] > products["selective"]


def test_sampling_keeps_nothing() -> None:
    actor = awake_actor(MICRO_ACTOR)
    actor.dit.checkpointing = "selective"
    with torch.no_grad():
        velocity = actor(torch.randn(1, 4, 2, 4, 4), torch.full((1, 2), 0.5))
    assert not velocity.requires_grad
