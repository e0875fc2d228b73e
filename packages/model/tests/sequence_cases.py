"""Clips computed by one process or by several: what the test of sequence parallelism compares.

Apart from the test because processes that are started anew import it by name.
"""

import dataclasses
from collections.abc import Callable

import torch
import torch.distributed as dist
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.step_cache import StepCache
from dreamactor_model.memory.sequence_parallel import split_sequence
from dreamactor_model.presets import ActorConfig, video_frames
from micro_model import MICRO_ACTOR, awake_actor
from torch import Tensor

Results = dict[str, tuple[Tensor, dict[str, Tensor]]]
FRAMES = 3
# 8 x 6 latents are 12 tokens a frame, 10 x 6 are 15: neither 2 nor 3 processes always divide them.
GRIDS = ((8, 6), (10, 6), (4, 2))
CONFIGS = {
    "joint": dataclasses.replace(MICRO_ACTOR, heads=6, text_dim=12, text_tokens=5),
    "causal": dataclasses.replace(MICRO_ACTOR, heads=6, reference_attention="causal"),
}
CASES = [("joint", grid, references) for grid in GRIDS for references in (0, 2)] + [
    ("causal", grid, 2) for grid in GRIDS
]


def _case(config: ActorConfig, grid: tuple[int, int], references: int) -> tuple[Tensor, Tensor, Conditions]:
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    conditions = Conditions(
        normal(2, references, config.latent_channels, *grid),
        normal(2, config.pose_channels, FRAMES, *grid),
        normal(2, video_frames(FRAMES), config.face_width),
    )
    times_BF = torch.rand(2, FRAMES, generator=generator, dtype=torch.float64)
    return normal(2, config.latent_channels, FRAMES, *grid), times_BF, conditions


def _velocity_and_gradients(
    actor: DreamActor, grid: tuple[int, int], references: int
) -> tuple[Tensor, dict[str, Tensor]]:
    latents, times_BF, conditions = _case(actor.config, grid, references)
    actor.zero_grad()
    velocity = actor.denoise(latents, times_BF, actor.prepare(conditions))
    velocity.pow(2).mean().backward()
    return velocity.detach(), {
        name: parameter.grad for name, parameter in actor.dit.named_parameters() if parameter.grad is not None
    }


@torch.no_grad()
def _cached_steps(actor: DreamActor) -> Tensor:
    """Three steps, the second so near the first that the blocks are skipped: every process must decide alike."""
    latents, times_BF, conditions = _case(actor.config, GRIDS[1], 2)
    constants, cache = actor.prepare(conditions), StepCache(threshold=0.05)
    ran: list[int] = []
    hook = actor.dit.blocks[0].register_forward_hook(lambda *_: ran.append(1))
    states = (latents, 1.001 * latents, -latents)
    steps = torch.stack([actor.denoise(state, times_BF, constants, cache) for state in states])
    hook.remove()
    assert len(ran) == 2
    return steps


def results(make: Callable[[ActorConfig], DreamActor]) -> Results:
    """Every case, each computed by the model that `make` makes."""
    found = {
        f"{name} {grid} {references}": _velocity_and_gradients(make(CONFIGS[name]), grid, references)
        for name, grid, references in CASES
    }
    return {**found, "cached steps": (_cached_steps(make(CONFIGS["joint"])), {})}


def process(rank: int, folder: str) -> None:
    """One of three, of which the first two compute the cases together, and then all: FOLDER/COUNT-RANK.pt."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=3)
    torch.set_num_threads(1)
    for count, group in ((2, dist.new_group([0, 1])), (3, dist.group.WORLD)):
        if rank < count:
            torch.save(_split_results(group, count), f"{folder}/{count}-{rank}.pt")
    dist.destroy_process_group()


def _split_results(group: dist.ProcessGroup, count: int) -> Results:
    def split(config: ActorConfig) -> DreamActor:
        actor = awake_actor(config).double()
        split_sequence(actor, group)
        return actor

    found = results(split)
    for _, gradients in found.values():
        for gradient in gradients.values():
            dist.all_reduce(gradient, group=group)
            gradient /= count
    return found
