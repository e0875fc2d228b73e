"""The VAE: strides, normalisation, and streams that equal the one piece."""

import dataclasses
from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_model.presets import get_preset
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_VAE
from torch import Tensor

KINDS = {
    "patched": MICRO_VAE,
    "residual": dataclasses.replace(MICRO_VAE, is_residual=True),
    "wan-8x": dataclasses.replace(
        MICRO_VAE, dim_mult=(1, 2, 2, 2), temporal_downsample=(False, True, True), patch_size=None
    ),
}


def _video(frames: int = 9) -> Tensor:
    return torch.rand(1, 3, frames, 32, 48, generator=torch.Generator().manual_seed(2)) * 2 - 1


@pytest.fixture(params=KINDS)
def vae(request: pytest.FixtureRequest) -> VideoVAE:
    torch.manual_seed(0)
    vae = VideoVAE(KINDS[request.param]).eval()
    vae.set_statistics(torch.tensor([0.1, -0.2, 0.3, 0.0]), torch.tensor([0.5, 1.5, 2.0, 1.0]))
    return vae


@torch.no_grad()
def test_strides_and_normalisation(vae: VideoVAE) -> None:
    video = _video()
    latents = vae.encode(video)
    assert latents.shape == (1, 4, 3, 32 // 8, 48 // 8)
    assert vae.config.spatial_stride == 8
    raw = vae.autoencoder.encode(video).latent_dist.mode()
    mean, std = vae.latents_mean_C.view(-1, 1, 1, 1), vae.latents_std_C.view(-1, 1, 1, 1)
    torch.testing.assert_close(latents, (raw - mean) / std)
    torch.testing.assert_close(vae.decode(latents), vae.autoencoder.decode(raw).sample)


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1, 1], [2, 3], [4, 1]])
@torch.no_grad()
def test_a_streamed_decode_equals_the_one_piece(vae: VideoVAE, sizes: list[int]) -> None:
    latents = torch.randn(1, 4, 5, 4, 6)
    whole = vae.decode(latents)[0].transpose(0, 1)
    frames = list(vae.decode_stream(iter(latents.split(sizes, dim=2))))
    assert [len(group) for group in frames] == [1, 4, 4, 4, 4]
    assert torch.equal(torch.cat(frames), whole)


@torch.no_grad()
def test_streams_do_not_disturb_each_other(vae: VideoVAE) -> None:
    """A preview may be decoded while a video is being decoded: each stream has its own cache."""
    latents = torch.randn(1, 4, 3, 4, 6)
    alone = list(vae.decode_stream([latents]))
    stream = vae.decode_stream([latents])
    mixed = [next(stream)]
    vae.decode(torch.randn(1, 4, 2, 4, 6))
    mixed += list(stream)
    assert all(torch.equal(a, b) for a, b in zip(alone, mixed, strict=True))


@torch.no_grad()
def test_the_decode_is_causal(vae: VideoVAE) -> None:
    latents = torch.randn(1, 4, 3, 4, 6)
    other = latents.clone()
    other[:, :, 2] += 1
    before, after = vae.decode(latents), vae.decode(other)
    assert torch.equal(before[:, :, :5], after[:, :, :5])
    assert not torch.equal(before[:, :, 5:], after[:, :, 5:])


@torch.no_grad()
def test_a_streamed_encode_equals_the_one_piece(vae: VideoVAE) -> None:
    video = _video()
    groups = vae.encode_stream(iter(video.split([1, 4, 4], dim=2)))
    assert torch.equal(torch.cat(list(groups), dim=2), vae.encode(video))


@torch.no_grad()
def test_one_image_is_one_latent(vae: VideoVAE) -> None:
    latents = vae.encode(_video(1))
    assert latents.shape[2] == 1
    assert vae.decode(latents).shape == (1, 3, 1, 32, 48)


@torch.no_grad()
def test_a_public_folder_loads_with_its_own_statistics(vae: VideoVAE, tmp_path: Path) -> None:
    vae.autoencoder.register_to_config(latents_mean=[1.0, 2.0, 3.0, 4.0], latents_std=[2.0, 2.0, 4.0, 4.0])
    vae.autoencoder.save_pretrained(tmp_path / "vae")
    loaded = VideoVAE.from_diffusers(tmp_path / "vae").eval()
    assert loaded.config == vae.config
    assert loaded.latents_mean_C.tolist() == [1.0, 2.0, 3.0, 4.0]
    vae.set_statistics(loaded.latents_mean_C, loaded.latents_std_C)
    assert torch.equal(loaded.encode(_video(5)), vae.encode(_video(5)))


def test_a_folder_without_a_vae_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="AutoencoderKLWan"):
        VideoVAE.from_diffusers(tmp_path)


@pytest.mark.parametrize(("name", "stride"), [("tiny", 8), ("wan-1.3b", 8), ("wan-5b", 16), ("wan-14b", 8)])
def test_every_preset_s_model_fits_its_vae(name: str, stride: int) -> None:
    preset = get_preset(name)
    assert preset.vae.spatial_stride == preset.actor.spatial_stride == stride
    assert preset.vae.latent_channels == preset.actor.latent_channels
    with torch.device("meta"):
        VideoVAE(preset.vae)
