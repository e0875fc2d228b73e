"""Share of a GPU's measured matrix speed that the transformer reaches at the paper's size: 73 frames of 960 x 640.

bf16, `wan-1.3b`, one reference, blocks compiled; the yardstick is a large bf16 product on the same GPU in the same run.
The peer is diffusers' WanTransformer3DModel on the same video tokens, eager, as its users run it.
"""

import json
from functools import partial
from statistics import median

import torch
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.flops import Workload, step_flops
from dreamactor_model.dit.precision import to_bfloat16
from dreamactor_model.presets import ActorConfig, get_preset, latent_frames, video_frames
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from benchmarks.dit_parts.rounds import interleaved_medians_s
from benchmarks.dit_parts.sizes import wan_transformer

_WIDTH_PX, _HEIGHT_PX, _FRAMES = 960, 640, 73
_MATRIX = 8192
_ROUNDS = 5
_KEYS = ("gpu_forward_mfu", "gpu_train_step_mfu", "gpu_forward_vs_wan", "gpu_matmul_tflops")


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """MFU of a forward pass and of a training step; null without a GPU."""
    if not torch.cuda.is_available():
        return {key: value for name in _KEYS for key, value in ((name, None), (f"{name}_why", "no GPU here"))}
    rounds = max(round(_ROUNDS * scale), 2)
    config = get_preset("wan-1.3b").actor
    frames = latent_frames(_FRAMES)
    rows, columns = _HEIGHT_PX // config.spatial_stride, _WIDTH_PX // config.spatial_stride
    flops = step_flops(config, Workload(1, 1, frames, rows * columns // config.patch_size**2))
    matmul = _matmul_flops_per_s(rounds)
    forward_s, wan_s = _forward_s(config, (frames, rows, columns), rounds)
    train_s = _train_s(config, (frames, rows, columns), rounds)
    return {
        "gpu_matmul_tflops": matmul / 1e12,
        "gpu_forward_s": forward_s,
        "gpu_forward_mfu": flops / forward_s / matmul,
        "gpu_forward_vs_wan": wan_s / forward_s,
        "gpu_train_step_s": train_s,
        # Backward costs two forwards; what checkpointing computes again does not count.
        "gpu_train_step_mfu": 3 * flops / train_s / matmul,
    }


def _matmul_flops_per_s(rounds: int) -> float:
    a, b = (torch.randn(_MATRIX, _MATRIX, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    seconds = interleaved_medians_s({"matmul": lambda: a @ b}, 4 * rounds)["matmul"]
    return 2 * _MATRIX**3 / seconds


@torch.inference_mode()
def _forward_s(config: ActorConfig, grid: tuple[int, int, int], rounds: int) -> tuple[float, float]:
    with torch.device("cuda"):
        actor = DreamActor(config).eval()
        wan = wan_transformer(config)
        latents, times, conditions = _inputs(config, grid)
        prompt = torch.randn(1, config.text_tokens, config.text_dim, dtype=torch.bfloat16)
    wan.to(torch.bfloat16)
    to_bfloat16(actor.dit)
    actor.compile_blocks()
    constants = actor.prepare(conditions)
    seconds = interleaved_medians_s(
        {
            "ours": lambda: actor.denoise(latents, times, constants),
            "wan": lambda: wan(latents.bfloat16(), times[:, 0] * 1000, prompt).sample,
        },
        rounds,
    )
    return seconds["ours"], seconds["wan"]


def _train_s(config: ActorConfig, grid: tuple[int, int, int], rounds: int) -> float:
    """Forward, backward with every block checkpointed, fused AdamW, under bf16 autocast."""
    with torch.device("cuda"):
        actor = DreamActor(config)
        latents, times, conditions = _inputs(config, grid)
    for block in actor.dit.blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    actor.compile_blocks()
    optimizer = torch.optim.AdamW(actor.parameters(), lr=1e-5, fused=True)
    seconds = []
    for _ in range(rounds + 1):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16):
            velocity = actor.denoise(latents, times, actor.prepare(conditions))
            loss = velocity.float().square().mean()
        loss.backward()
        optimizer.step()
        end.record()
        torch.cuda.synchronize()
        seconds.append(start.elapsed_time(end) / 1000)
    return median(seconds[1:])


def _inputs(config: ActorConfig, grid: tuple[int, int, int]) -> tuple[Tensor, Tensor, Conditions]:
    frames, rows, columns = grid
    conditions = Conditions(
        torch.randn(1, 1, config.latent_channels, rows, columns),
        torch.randn(1, config.pose_channels, frames, rows, columns),
        torch.randn(1, video_frames(frames), config.face_width),
    )
    return torch.randn(1, config.latent_channels, *grid), torch.full((1, frames), 0.7), conditions


if __name__ == "__main__":
    print(json.dumps(measure()))
