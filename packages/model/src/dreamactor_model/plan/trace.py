"""One training step on the meta device: every tensor it makes is counted and nothing is computed.

A transformer's blocks are alike: two and three of them are traced, and the rest follows in a straight line: of what is
alive while blocks run, and of what is alive before and after, each by itself. What the backward pass keeps and what it
computes again are so those of the code as it is, whatever its blocks become.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dreamactor_model.actor import DreamActor
from dreamactor_model.dit.attention import KeysValues
from dreamactor_model.memory.live_bytes import LiveBytes
from dreamactor_model.plan.workload import Cut, TrainingLoad
from dreamactor_model.presets import CONTROL_CHANNELS, FACE_CROP_PX
from dreamactor_model.training.diffusion.diffusion_stage import FlowObjective
from dreamactor_model.training.stages import freeze_others

_FEW, _MORE = 2, 3
_TYPES = {2: torch.bfloat16, 4: torch.float32}
_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


@dataclass(frozen=True)
class StepCost:
    """Of one rank's forward and backward pass.

    Attributes:
        activation_bytes: most that is alive at one time beside weights and whole gradients.
        backward_bytes: the same with the gradients that are there by then, as where they are not divided.
        block_bytes: the share of it that each block keeps until its turn comes.
        flops: of matrix products, those computed again too.
        useful_flops: without those computed again, which is what MFU counts.
    """

    activation_bytes: float
    backward_bytes: float
    block_bytes: float
    flops: float
    useful_flops: float


def trace_step(load: TrainingLoad, cut: Cut) -> StepCost:
    """Count one step; sequence parallelism divides what the blocks keep and compute."""
    few, more = (_trace(load, cut, layers) for layers in (_FEW, _MORE))
    plain = [few, more] if cut.checkpointing == "none" else [_trace(load, _plain(cut), n) for n in (_FEW, _MORE)]
    layers, parts = load.preset.actor.layers, cut.sequence_parallel
    return StepCost(
        activation_bytes=_highest(few.peaks, more.peaks, layers, parts),
        backward_bytes=_highest(few.peaks_with_gradients, more.peaks_with_gradients, layers, parts),
        block_bytes=(more.peaks.inside - few.peaks.inside) / parts,
        flops=_line(few.flops, more.flops, layers) / parts,
        useful_flops=_line(plain[0].flops, plain[1].flops, layers) / parts,
    )


def _plain(cut: Cut) -> Cut:
    return replace(cut, checkpointing="none")


def _line(few: float, more: float, layers: int) -> float:
    return few + (layers - _FEW) * (more - few)


@dataclass
class _Peaks:
    """Most bytes at one time while blocks run, and before and after."""

    inside: float = 0.0
    outside: float = 0.0

    def see(self, live: float, *, inside: bool) -> None:
        if inside:
            self.inside = max(self.inside, live)
        else:
            self.outside = max(self.outside, live)


def _highest(few: _Peaks, more: _Peaks, layers: int, parts: int) -> float:
    return max(
        _split_line(few.inside, more.inside, layers, parts), _split_line(few.outside, more.outside, layers, parts)
    )


def _split_line(few: float, more: float, layers: int, parts: int) -> float:
    """What the blocks add is divided, the rest is not."""
    return few - _FEW * (more - few) + layers * (more - few) / parts


@dataclass(frozen=True)
class _Traced:
    peaks: _Peaks
    peaks_with_gradients: _Peaks
    flops: float


class _LiveBackward(LiveBytes):
    """Counts whole gradients apart, as ZeRO divides them, and the time in which blocks run apart from the rest."""

    def __init__(self, known: Iterable[Tensor], first_block: nn.Module) -> None:
        super().__init__(known)
        self.gradients, self._inside = 0, False
        self.peaks, self.peaks_with_gradients = _Peaks(), _Peaks()
        first_block.register_forward_pre_hook(lambda *_: self._enter(inside=True))
        first_block.register_full_backward_hook(lambda *_: self._enter(inside=False))

    def _enter(self, *, inside: bool) -> None:
        self._inside = inside

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = super().__torch_dispatch__(func, types, args, kwargs)
        self.peaks.see(self.now, inside=self._inside)
        self.peaks_with_gradients.see(self.now + self.gradients, inside=self._inside)
        return made

    def take(self, parameter: Tensor) -> None:
        """A parameter's gradient is whole."""
        assert parameter.grad is not None
        self.gradients += parameter.grad.nbytes
        parameter.grad = None


# Every policy is held against none, and every plan of a load begins with the same steps.
@cache
def _trace(load: TrainingLoad, cut: Cut, layers: int) -> _Traced:
    objective, batch = _objective(load, cut, layers), _batch(load)
    with _LiveBackward([*objective.state_dict().values(), *batch.values()], objective.actor.dit.blocks[0]) as live:
        for parameter in objective.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(live.take)
        objective(**batch)["loss"].backward()
    # Apart: torch's counter of operations keeps tensors alive.
    with FlopCounterMode(display=False, custom_mapping=_ATTENTION_FLOPS) as counter:
        objective(**batch)["loss"].backward()
    return _Traced(live.peaks, live.peaks_with_gradients, float(counter.get_total_flops()))


def _objective(load: TrainingLoad, cut: Cut, layers: int) -> FlowObjective:
    with torch.device("meta"):
        actor = DreamActor(replace(load.preset.actor, layers=layers)).to(_TYPES[cut.bytes_a_weight]).train()
    freeze_others(actor, cut.stage.train)
    actor.dit.checkpointing = cut.checkpointing
    for block in actor.dit.blocks:
        for attention in (block.attn1, block.attn2, block.ref_attn):
            if attention is not None:
                attention.attend = _attend
    return FlowObjective(actor, cut.stage.conditions)


def _attend(q_BLHE: Tensor, context: KeysValues) -> Tensor:
    """A fused attention: no scores in memory."""
    q_BHLE, k_BHSE, v_BHSE = (x.transpose(1, 2) for x in (q_BLHE, *context))
    batch = len(q_BLHE)
    mixed_BHLE, _ = _ATTENTION(q_BHLE, k_BHSE.expand(batch, -1, -1, -1), v_BHSE.expand(batch, -1, -1, -1))
    return mixed_BHLE.transpose(1, 2)


def _batch(load: TrainingLoad) -> dict[str, Tensor]:
    """Shapes of what `DiffusionTask.batch` gives."""
    config, count, frames = load.preset.actor, load.batch, load.latent_frames
    grid = (load.height // config.spatial_stride, load.width // config.spatial_stride)

    def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(count, *shape, dtype=dtype, device="meta")

    return {
        "latents_BCFHW": empty(config.latent_channels, frames, *grid),
        "noise_BCFHW": empty(config.latent_channels, frames, *grid),
        "timestep_B": empty(),
        "carried_B": empty(dtype=torch.bool),
        "references_BRCHW": empty(load.references, config.latent_channels, *grid),
        "control_BCTHW": empty(CONTROL_CHANNELS, load.frames, load.height, load.width, dtype=torch.uint8),
        "crops_BTCHW": empty(load.frames, 3, FACE_CROP_PX, FACE_CROP_PX, dtype=torch.uint8),
        "weights_BFHW": empty(frames, *grid),
        "keep_references_B": empty(dtype=torch.bool),
        "keep_pose_B": empty(dtype=torch.bool),
        "keep_face_B": empty(dtype=torch.bool),
    }


def _attention_flops(q: Any, k: Any, *_: Any, **__: Any) -> int:
    return 4 * prod(q[:3]) * k[2] * q[3]


def _attention_backward_flops(_: Any, q: Any, k: Any, *__: Any, **___: Any) -> int:
    # Scores again, and the four products of their gradients.
    return 10 * prod(q[:3]) * k[2] * q[3]


_ATTENTION_FLOPS = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward_flops,
}
