"""Offloaded blocks compute what resident ones do, and no more than two of them are on the device."""

import copy
import dataclasses
from pathlib import Path

import pytest
import torch
from dreamactor_core.settings import load_settings
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.conditions import Conditions
from dreamactor_model.memory.offload import OffloadedBlocks, offload_blocks
from dreamactor_model.presets import ActorConfig, video_frames
from dreamactor_model.training.finished import VAE_FOLDER, save_finished
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE, awake_actor
from torch import Tensor

FRAMES = 3
_NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
CONFIGS = {
    "text": dataclasses.replace(MICRO_ACTOR, layers=5, text_dim=12, text_tokens=5),
    "causal references": dataclasses.replace(MICRO_ACTOR, layers=4, reference_attention="causal"),
    "one block": dataclasses.replace(MICRO_ACTOR, layers=1),
}


def _inputs(config: ActorConfig, device: torch.device) -> tuple[Tensor, Tensor, Conditions]:
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(device)

    conditions = Conditions(
        normal(2, 2, config.latent_channels, 8, 6),
        normal(2, config.pose_channels, FRAMES, 8, 6),
        normal(2, video_frames(FRAMES), config.face_width),
    )
    times_BF = torch.rand(2, FRAMES, generator=generator).to(device)
    return normal(2, config.latent_channels, FRAMES, 8, 6), times_BF, conditions


@pytest.fixture(params=CONFIGS)
def config(request: pytest.FixtureRequest) -> ActorConfig:
    return CONFIGS[request.param]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=_NO_GPU)])
def device(request: pytest.FixtureRequest) -> torch.device:
    return torch.device(request.param)


@pytest.fixture
def both(config: ActorConfig, device: torch.device) -> tuple[DreamActor, DreamActor]:
    """A model, and its twin with offloaded blocks."""
    actor = awake_actor(config)
    twin = copy.deepcopy(actor)
    offload_blocks(twin, device)
    return actor.to(device), twin


def _sizes_bytes(actor: DreamActor) -> int:
    """Of one block's matrices."""
    return sum(parameter.nbytes for parameter in actor.dit.blocks[0].parameters() if parameter.ndim == 2)


@torch.inference_mode()
def test_offloaded_blocks_compute_the_same(
    both: tuple[DreamActor, DreamActor], config: ActorConfig, device: torch.device
) -> None:
    latents, times, conditions = _inputs(config, device)
    results = []
    for actor in both:
        constants = actor.prepare(conditions)
        first = actor.denoise(latents, times, constants)
        results.append((first, actor.denoise(latents - first, times / 2, constants)))
    for ours, theirs in zip(*results, strict=True):
        assert torch.equal(ours, theirs)


@torch.inference_mode()
def test_two_blocks_at_most_are_on_the_device(
    both: tuple[DreamActor, DreamActor], config: ActorConfig, device: torch.device
) -> None:
    """Every block computes from the same two places; before and after, all matrices are at home."""
    actor, twin = both
    blocks = twin.dit.blocks
    assert isinstance(blocks, OffloadedBlocks)
    assert blocks.resident_bytes == min(2, config.layers) * _sizes_bytes(actor)
    at_home = [blocks[index].attn1.to_q.weight.data_ptr() for index in range(config.layers)]
    assert len(set(at_home)) == config.layers
    visited, elsewhere = set(), []
    for block in (blocks[index] for index in range(config.layers)):
        block.register_forward_pre_hook(lambda block, _: visited.add(block.attn1.to_q.weight.data_ptr()))
        block.register_forward_pre_hook(lambda _, __: elsewhere.append(sum(_away(blocks, at_home))))
    latents, times, conditions = _inputs(config, device)
    twin.denoise(latents, times, twin.prepare(conditions))
    assert len(visited) == min(2, config.layers)
    assert not visited & set(at_home)
    assert elsewhere == [1] * config.layers, "one computes; the next has arrived, but is not yet used"
    assert not any(_away(blocks, at_home))


def _away(blocks: OffloadedBlocks, at_home: list[int]) -> list[bool]:
    return [blocks[index].attn1.to_q.weight.data_ptr() != home for index, home in enumerate(at_home)]


def test_a_pass_that_is_broken_off_leaves_all_at_home() -> None:
    actor = awake_actor(CONFIGS["text"])
    weights = [block.ffn.net[2].weight.clone() for block in actor.dit.blocks]
    offload_blocks(actor, torch.device("cpu"))
    visits = iter(actor.dit.blocks)
    next(visits)
    next(visits)
    with pytest.raises(RuntimeError, match="one pass at a time"):
        next(iter(actor.dit.blocks))
    visits.close()
    assert all(
        torch.equal(block.ffn.net[2].weight, weight) for block, weight in zip(actor.dit.blocks, weights, strict=True)
    )


def test_weights_are_the_same_to_save(both: tuple[DreamActor, DreamActor]) -> None:
    actor, twin = both
    state, offloaded = actor.state_dict(), twin.state_dict()
    assert state.keys() == offloaded.keys()
    assert all(torch.equal(state[name].cpu(), offloaded[name].cpu()) for name in state)
    assert not any(parameter.requires_grad for parameter in twin.parameters())


def test_a_setting_offloads_the_model_that_animates(tmp_path: Path) -> None:
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / VAE_FOLDER, about={})
    save_finished(awake_actor(MICRO_ACTOR), tmp_path / VAE_FOLDER, tmp_path / "model", about={"preset": "tiny"})
    for offload in ("none", "blocks"):
        settings = load_settings({"model.offload": offload, "model.device": "cpu"})
        blocks = LoadedModel.load(tmp_path / "model", settings).actor.dit.blocks
        assert isinstance(blocks, OffloadedBlocks) == (offload == "blocks")
