"""Bytes a rank holds all through training: weights, gradients, AdamW's states, the average (DeepSpeed ZeRO).

With two-byte weights a parameter costs 2 (weight) + 2 (gradient) + 4 (fp32 weight) + 8 (moments) + 4 (average) bytes;
ZeRO 1 divides the last three by the ranks, ZeRO 2 the gradient too, ZeRO 3 everything.
"""

from dataclasses import dataclass

import torch
from dreamactor_core.settings.training import ParameterGroup

from dreamactor_model.actor import DreamActor, parameter_group
from dreamactor_model.presets import ActorConfig

BUCKET_ELEMENTS = 200_000_000
"""Most gradient elements that ZeRO collects before it exchanges them; the engine is given the same figure."""

_FP32, _MOMENTS = 4, 8


@dataclass(frozen=True)
class ParameterCount:
    """Parameters of an actor.

    Attributes:
        learning, frozen: elements.
    """

    learning: int
    frozen: int


def count_parameters(config: ActorConfig, groups: tuple[ParameterGroup, ...]) -> ParameterCount:
    """Of an actor of which only `groups` learn; nothing is allocated."""
    with torch.device("meta"):
        actor = DreamActor(config)
    sizes = {name: parameter.numel() for name, parameter in actor.named_parameters()}
    learning = sum(size for name, size in sizes.items() if parameter_group(name) in groups)
    return ParameterCount(learning, sum(sizes.values()) - learning)


@dataclass(frozen=True)
class StateBytes:
    """Of one rank.

    Attributes:
        weights: that compute.
        gradients: kept until the optimizer's step.
        optimizer: fp32 weights that learn, and AdamW's moments.
        average: exponential moving average, fp32.
        buckets: ZeRO's buffer of gradients on their way, in the backward pass.
        gathered: ZeRO 3's weights that are whole at a time, and those on their way to it: received, and put together.
        step: what only the optimizer's step needs, when activations are gone.
    """

    weights: float
    gradients: float
    optimizer: float
    average: float
    buckets: float
    gathered: float
    step: float

    @property
    def constant(self) -> float:
        """All but gradients and what comes and goes."""
        return self.weights + self.optimizer + self.average


def state_bytes(count: ParameterCount, zero_stage: int, ranks: int, bytes_a_weight: int, *, fused: bool) -> StateBytes:
    """What a rank holds.

    Args:
        fused: AdamW writes in place (GPUs); else it makes a tensor of its piece's size on the way.
    """
    optimizer_ranks = ranks if zero_stage >= 1 else 1
    gradient_ranks = ranks if zero_stage >= 2 else 1
    weight_ranks = ranks if zero_stage >= 3 else 1
    # Without ZeRO in fp32 the weights that compute are those that learn.
    master = 0 if zero_stage == 0 and bytes_a_weight == _FP32 else _FP32
    learning = count.learning
    piece = learning / optimizer_ranks
    step = piece * _FP32 * ((zero_stage >= 1) + (not fused))
    return StateBytes(
        weights=(learning + count.frozen) * bytes_a_weight / weight_ranks,
        gradients=learning * bytes_a_weight / gradient_ranks,
        optimizer=piece * (master + _MOMENTS),
        average=piece * _FP32,
        buckets=min(BUCKET_ELEMENTS, learning) * bytes_a_weight if zero_stage >= 1 else 0.0,
        gathered=3 * min(BUCKET_ELEMENTS, learning) * bytes_a_weight if zero_stage == 3 else 0.0,
        step=step,
    )
