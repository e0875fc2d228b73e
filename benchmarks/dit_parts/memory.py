"""Memory of sampling at the paper's size, computed: every tensor a guided step makes, on the meta device.

One segment of 73 frames at 960 x 640, one reference, both guidances at their default, bfloat16. Counted are weights,
what `prepare` keeps for the segment and the most that is alive during a step; not counted are the attention kernel's
own workspace and what an allocator loses to fragments. Where there is a GPU, the same step is run there with offloaded
blocks, and its real peak and time are printed beside the count.

    python -m benchmarks.dit_parts.memory
"""

import json
import time

import torch
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.attention import KeysValues
from dreamactor_model.dit.precision import to_bfloat16
from dreamactor_model.guidance import GuidedVelocity
from dreamactor_model.memory.live_bytes import LiveBytes
from dreamactor_model.memory.offload import offload_blocks
from dreamactor_model.presets import PRESETS, Preset, latent_frames, video_frames
from torch import Tensor

WIDTH, HEIGHT, FRAMES = 960, 640, 73
_GIB = 2**30


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:  # noqa: ARG001 - nothing is computed
    """GiB of each Wan preset, with all blocks on the device and with offloaded ones."""
    figures: dict[str, float | bool | str | None] = {}
    for preset in PRESETS.values():
        if preset.actor.text_dim is not None:
            figures |= {f"{name}_gib_{preset.name}": size / _GIB for name, size in _sizes(preset).items()}
    return figures | _on_gpu(PRESETS["wan-14b"])


def _sizes(preset: Preset) -> dict[str, float]:
    actor = _empty_actor(preset)
    for block in actor.dit.blocks:
        block.attn1.attend = block.attn2.attend = block.ref_attn.attend = _attend
    weights = sum(tensor.nbytes for tensor in actor.state_dict().values())
    matrices = sum(parameter.nbytes for parameter in actor.dit.blocks.parameters() if parameter.ndim == 2)
    visiting = 2 * matrices / len(actor.dit.blocks)
    with torch.no_grad(), LiveBytes(actor.state_dict().values()) as live:
        conditions, latents, times = _segment(preset, torch.device("meta"))
        velocity = GuidedVelocity(actor, conditions, SamplingSettings())
        velocity(latents, times, 0.5)
        kept = live.now
        live.peak = 0
        velocity(latents, times, 0.4)
    return {
        "weights": weights,
        "segment": kept,
        "step": live.peak - kept,
        "sampling": weights + live.peak,
        "sampling_offloaded": weights - matrices + visiting + live.peak,
    }


@torch.no_grad()
def _on_gpu(preset: Preset) -> dict[str, float | bool | str | None]:
    names = [f"measured_offloaded_{unit}_{preset.name}" for unit in ("gib", "step_s")]
    if not torch.cuda.is_available():
        return dict.fromkeys(names) | {f"{name}_why": "no GPU here" for name in names}
    device = torch.device("cuda")
    actor = _empty_actor(preset).to_empty(device="cpu")
    offload_blocks(actor, device)
    conditions, latents, times = _segment(preset, device)
    velocity = GuidedVelocity(actor, conditions, SamplingSettings())
    velocity(latents, times, 0.5)
    torch.cuda.synchronize()
    start = time.perf_counter()
    velocity(latents, times, 0.4)
    torch.cuda.synchronize()
    return dict(zip(names, (torch.cuda.max_memory_allocated() / _GIB, time.perf_counter() - start), strict=True))


def _empty_actor(preset: Preset) -> DreamActor:
    with torch.device("meta"):
        actor = DreamActor(preset.actor).requires_grad_(False)
    to_bfloat16(actor.dit)
    return actor


def _attend(q_BLHE: Tensor, context: KeysValues) -> Tensor:  # noqa: ARG001 - the kernel's result alone is counted
    """As a fused kernel: no scores in memory."""
    return torch.empty_like(q_BLHE)


def _segment(preset: Preset, device: torch.device) -> tuple[Conditions, Tensor, Tensor]:
    config, frames = preset.actor, latent_frames(FRAMES)
    grid = (HEIGHT // config.spatial_stride, WIDTH // config.spatial_stride)

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(shape, device=device)

    conditions = Conditions(
        zeros(1, 1, config.latent_channels, *grid),
        zeros(1, config.pose_channels, frames, *grid),
        zeros(1, video_frames(frames), config.face_width),
    )
    return conditions, zeros(1, config.latent_channels, frames, *grid), zeros(1, frames)


if __name__ == "__main__":
    print(json.dumps(measure()))
