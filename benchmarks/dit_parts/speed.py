"""Forward pass and training step against diffusers' WanTransformer3DModel: same weights, same tokens, same machine.

Ours is timed as the sampler uses it: what all steps of a segment share (here prompt and positions) is prepared once.
`*_whole` has the preparation inside each call. The training step is forward, backward and AdamW, preparation included.
"""

import json
from collections.abc import Callable

import torch
from diffusers import WanTransformer3DModel
from dreamactor_model.actor import DreamActor
from dreamactor_model.dit.flops import Workload, prepare_flops, step_flops
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.dit_parts.rounds import interleaved_medians_s
from benchmarks.dit_parts.sizes import BASE, SMALL, TINY, Size, Step, actor_config, wan_transformer, with_weights_of

_ROUNDS = {"base": 9, "small": 25, "tiny": 200}
_TRAINING_ROUNDS = 12
_PATCH = 4
_SAME = 1e-5


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Speed ratios (peer's time / ours) and the error of the counted operations; `scale` < 1: fewer rounds."""
    base, small, tiny = (_forward_seconds(size, scale) for size in (BASE, SMALL, TINY))
    trained = _training_seconds(SMALL, scale)
    return {
        "forward_compiled_ratio_base": base["wan"] / base["compiled"],
        "forward_compiled_ratio_small": small["wan"] / small["compiled"],
        "forward_vs_wan_compiled_base": base["wan_compiled"] / base["compiled"],
        "forward_vs_wan_compiled_small": small["wan_compiled"] / small["compiled"],
        "forward_eager_ratio_base": base["wan"] / base["eager"],
        "forward_eager_ratio_small": small["wan"] / small["eager"],
        "forward_eager_ratio_tiny": tiny["wan"] / tiny["eager"],
        "forward_eager_whole_ratio_tiny": tiny["wan"] / tiny["eager_whole"],
        "train_step_ratio_small": trained["wan"] / trained["compiled"],
        "train_step_eager_ratio_small": trained["wan"] / trained["eager"],
        "forward_compiled_base_gflops_per_s": _flops(BASE) / base["compiled"] / 1e9,
        "flops_relative_error": max(_flops_error(size) for size in (BASE, SMALL, TINY)),
    }


@torch.inference_mode()
def _forward_seconds(size: Size, scale: float) -> dict[str, float]:
    wan = wan_transformer(actor_config(size))
    actor = with_weights_of(wan, size)
    step = Step.of(size, actor)
    constants = step.constants(actor)
    calls: dict[str, Callable[[], Tensor]] = {
        "wan": lambda: step.wan(wan),
        "eager": lambda: actor.denoise(step.latents_BCFHW, step.times(), constants),
        "eager_whole": lambda: step.ours(actor),
    }
    if size is not TINY:
        compiled_wan, compiled = _compiled(wan, size)
        calls["wan_compiled"] = lambda: step.wan(compiled_wan)
        calls["compiled"] = lambda: compiled.denoise(step.latents_BCFHW, step.times(), constants)
    expected = step.wan(wan)
    for name, call in calls.items():
        torch.testing.assert_close(
            call(), expected, rtol=1e-3, atol=1e-4, msg=lambda told, name=name: f"{name}: {told}"
        )
    return interleaved_medians_s(calls, max(round(_ROUNDS[size.name] * scale), 3))


def _compiled(wan: WanTransformer3DModel, size: Size) -> tuple[WanTransformer3DModel, DreamActor]:
    """Both with compiled blocks, each as its own project does it."""
    theirs = wan_transformer(actor_config(size))
    theirs.load_state_dict(wan.state_dict())
    theirs.compile_repeated_blocks(fullgraph=True)
    ours = with_weights_of(wan, size)
    ours.compile_blocks()
    return theirs, ours


def _training_seconds(size: Size, scale: float) -> dict[str, float]:
    wan = wan_transformer(actor_config(size))
    eager, compiled = with_weights_of(wan, size), with_weights_of(wan, size)
    compiled.compile_blocks()
    step = Step.of(size, eager)
    calls = {
        "wan": _training_step(wan.train(), lambda: step.wan(wan), fused=False),
        "eager": _training_step(eager.train(), lambda: step.ours(eager), fused=True),
        "compiled": _training_step(compiled.train(), lambda: step.ours(compiled), fused=True),
    }
    return interleaved_medians_s(calls, max(round(_TRAINING_ROUNDS * scale), 3))


def _training_step(model: nn.Module, velocity: Callable[[], Tensor], *, fused: bool) -> Callable[[], None]:
    """Forward, backward and AdamW; theirs with PyTorch's default AdamW, ours with the fused one that we train with."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=fused)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        velocity().square().mean().backward()
        optimizer.step()

    return step


def _workload(size: Size) -> Workload:
    return Workload(
        batch=1, references=0, frames=size.frames, tokens_a_frame=size.rows * size.columns // _PATCH, has_face=False
    )


def _flops(size: Size) -> int:
    return step_flops(actor_config(size), _workload(size))


def _flops_error(size: Size) -> float:
    """Counted by formula against counted by torch, of a whole forward pass."""
    config = actor_config(size)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        latents = torch.empty(size.latent_shape)
        DreamActor(config)(latents, torch.empty(1, size.frames))
    formula = prepare_flops(config, _workload(size)) + _flops(size)
    return abs(formula / counter.get_total_flops() - 1)


if __name__ == "__main__":
    print(json.dumps(measure()))
