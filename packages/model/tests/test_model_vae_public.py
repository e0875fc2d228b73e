"""Public VAEs of both kinds (8x, and 16x residual) from diffusers' folders: the same latents and frames, and streams of
any length in the memory of a short one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan
from dreamactor_model.memory.live_bytes import LiveBytes
from dreamactor_model.presets import VAEConfig
from dreamactor_model.vae import VideoVAE
from torch import Tensor
from wan_folders import T2V, TI2V, random_vae

FRAMES, HEIGHT, WIDTH = 21, 64, 32
KINDS = {"8x": T2V.vae, "16x residual": TI2V.vae}


@pytest.fixture(params=KINDS)
def config(request: pytest.FixtureRequest) -> VAEConfig:
    return KINDS[request.param]


@pytest.fixture
def both(config: VAEConfig, tmp_path: Path) -> tuple[VideoVAE, AutoencoderKLWan]:
    """Ours, loaded from the folder that theirs was saved in."""
    theirs = random_vae(config)
    theirs.save_pretrained(tmp_path / "vae")
    return VideoVAE.from_diffusers(tmp_path / "vae").eval(), theirs


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@torch.no_grad()
def test_a_whole_clip_is_encoded_and_decoded_as_diffusers_does(
    both: tuple[VideoVAE, AutoencoderKLWan], config: VAEConfig
) -> None:
    """In double precision: random weights blow rounding up, and would hide a small difference behind it."""
    ours, theirs = (module.double() for module in both)
    assert ours.config == config
    video = torch.rand(1, 3, FRAMES, HEIGHT, WIDTH, dtype=torch.float64, generator=_generator(2)) * 2 - 1
    mean, std = (
        torch.tensor(values).view(-1, 1, 1, 1) for values in (theirs.config.latents_mean, theirs.config.latents_std)
    )
    normalised = (theirs.encode(video).latent_dist.mode() - mean) / std
    stride = config.spatial_stride
    assert normalised.shape == (1, config.latent_channels, 6, HEIGHT // stride, WIDTH // stride)
    assert _relative(ours.encode(video), normalised) < 1e-6
    latents = torch.randn(normalised.shape, dtype=torch.float64, generator=_generator(3))
    decoded = theirs.decode(latents * std + mean).sample
    assert decoded.shape == video.shape
    assert decoded.std() > 0.01
    assert _relative(ours.decode(latents), decoded) < 1e-6


def _latents(config: VAEConfig, segments: int) -> Iterator[Tensor]:
    for _ in range(segments):
        yield torch.randn(1, config.latent_channels, 3, HEIGHT // config.spatial_stride, WIDTH // config.spatial_stride)


def _groups(segments: int) -> Iterator[Tensor]:
    yield torch.rand(1, 3, 1, HEIGHT, WIDTH)
    for _ in range(3 * segments):
        yield torch.rand(1, 3, 4, HEIGHT, WIDTH)


@torch.no_grad()
def _peak(vae: VideoVAE, segments: int, direction: str) -> int:
    with LiveBytes() as live:
        stream = (
            vae.decode_stream(_latents(vae.config, segments))
            if direction == "decode"
            else vae.encode_stream(_groups(segments))
        )
        for _ in stream:
            pass
    return live.peak


@pytest.mark.parametrize("direction", ["decode", "encode"])
def test_a_long_stream_takes_the_memory_of_a_short_one(both: tuple[VideoVAE, AutoencoderKLWan], direction: str) -> None:
    vae, _ = both
    short, long = _peak(vae, 2, direction), _peak(vae, 8, direction)
    assert long == pytest.approx(short, rel=0.01)


@torch.no_grad()
def test_the_measure_sees_what_is_kept(both: tuple[VideoVAE, AutoencoderKLWan]) -> None:
    """Collecting the frames instead of passing them on shows."""
    vae, _ = both
    with LiveBytes() as live:
        frames = list(vae.decode_stream(_latents(vae.config, 8)))
    assert live.peak > _peak(vae, 8, "decode") + 0.9 * sum(frame.nbytes for frame in frames[:-1])
