"""How much faster one step is when its tokens are split over processes, and how far the result is from one process's.

Here: two CPU processes of one thread each over gloo, against one of them alone. On GPUs, as many as torchrun starts
over NCCL, at the sizes of a Wan preset and the paper's clip:

    python -m benchmarks.dit_parts.sequence
    torchrun --nproc-per-node 4 -m benchmarks.dit_parts.sequence wan-1.3b
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.memory.sequence_parallel import split_sequence
from dreamactor_model.presets import ActorConfig, get_preset, latent_frames, video_frames
from torch import Tensor, multiprocessing

from benchmarks.dit_parts.rounds import interleaved_medians_s
from benchmarks.dit_parts.sizes import BASE, actor_config

_PROCESSES = 2
# The paper's clip, in pixels.
_WIDTH, _HEIGHT, _FRAMES = 960, 640, 73


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Time of one process over that of two, and the largest relative difference of their velocities."""
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(_cpu_process, (folder, max(int(5 * scale), 2)), nprocs=_PROCESSES)
        figures: dict[str, float | bool | str | None] = json.loads((Path(folder) / "figures.json").read_text())
    return figures


def _cpu_process(rank: int, folder: str, rounds: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=_PROCESSES)
    config = actor_config(BASE)
    figures = _compare(config, BASE.latent_shape[2:], torch.device("cpu"), torch.float32, rounds)
    if rank == 0:
        (Path(folder) / "figures.json").write_text(json.dumps(figures))
    dist.destroy_process_group()


@torch.no_grad()
def _compare(
    config: ActorConfig, grid: tuple[int, int, int], device: torch.device, kind: torch.dtype, rounds: int
) -> dict[str, float]:
    alone, split = (_actor(config, device, kind) for _ in range(2))
    split_sequence(split, dist.group.WORLD)
    latents, times_BF, conditions = _clip(config, grid, device, kind)

    def step(actor: DreamActor) -> Tensor:
        return actor.denoise(latents, times_BF, actor.prepare(conditions))

    plain, together = step(alone), step(split)
    seconds = interleaved_medians_s({"alone": lambda: step(alone), "split": lambda: step(split)}, rounds)
    count = dist.get_world_size()
    return {
        f"sequence_parallel_speedup_{count}": seconds["alone"] / seconds["split"],
        f"sequence_parallel_rel_{count}": float((together - plain).abs().max() / plain.abs().max()),
    }


def _actor(config: ActorConfig, device: torch.device, kind: torch.dtype) -> DreamActor:
    """The same in every process, no branch of it zero."""
    torch.manual_seed(0)
    with device:
        actor = DreamActor(config).to(kind).eval()
        for parameter in actor.dit.parameters():
            torch.nn.init.normal_(parameter, std=0.02)
    return actor


def _clip(
    config: ActorConfig, grid: tuple[int, int, int], device: torch.device, kind: torch.dtype
) -> tuple[Tensor, Tensor, Conditions]:
    """One clip with one reference and a face."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(device, kind)

    frames, *side = grid
    conditions = Conditions(
        normal(1, 1, config.latent_channels, *side),
        normal(1, config.pose_channels, *grid),
        normal(1, video_frames(frames), config.face_width),
    )
    return normal(1, config.latent_channels, *grid), torch.full((1, frames), 0.5, device=device, dtype=kind), conditions


def _on_gpus(preset: str) -> None:
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    dist.init_process_group("nccl", device_id=device)
    config = get_preset(preset).actor
    stride = config.spatial_stride
    grid = (latent_frames(_FRAMES), _HEIGHT // stride, _WIDTH // stride)
    figures = _compare(config, grid, device, torch.bfloat16, rounds=5)
    if dist.get_rank() == 0:
        print(json.dumps(figures))
    dist.destroy_process_group()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _on_gpus(sys.argv[1])
    else:
        print(json.dumps(measure()))
