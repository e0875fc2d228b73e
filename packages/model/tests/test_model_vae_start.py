"""How the tiny VAE begins."""

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d
from dreamactor_model.presets import get_preset
from dreamactor_model.training.vae import vae_start
from dreamactor_model.vae import VideoVAE
from torch import Tensor
from torch.nn.utils import parametrize


@pytest.fixture
def images() -> Tensor:
    """Smooth, nearly grey pictures: much brightness, little colour."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(8, 1, 1, 4, 4, generator=generator) + 0.2 * torch.randn(8, 3, 1, 4, 4, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(1, 32, 32), mode="trilinear").clamp(-1, 1)


@pytest.fixture
def vae(images: Tensor) -> VideoVAE:
    torch.manual_seed(0)
    vae = VideoVAE(get_preset("tiny").vae).eval()
    vae_start.prepare(vae, images)
    return vae


@torch.no_grad()
def test_finishing_leaves_a_plain_network_that_computes_the_same(vae: VideoVAE) -> None:
    video_BCTHW = torch.rand(1, 3, 9, 32, 32) * 2 - 1
    before = vae.decode(vae.encode(video_BCTHW))
    vae_start.finish(vae)
    assert not any(parametrize.is_parametrized(module) for module in vae.modules())
    assert vae.state_dict().keys() == VideoVAE(vae.config).state_dict().keys()
    torch.testing.assert_close(vae.decode(vae.encode(video_BCTHW)), before)


@torch.no_grad()
def test_no_kernel_of_three_frames_looks_back_even_after_a_step_of_training(vae: VideoVAE) -> None:
    optimizer = torch.optim.AdamW(vae.parameters(), lr=0.01)
    with torch.enable_grad():
        vae.autoencoder(torch.rand(1, 3, 5, 32, 32)).sample.square().mean().backward()
    optimizer.step()
    vae_start.finish(vae)
    kernels = [
        module.weight
        for module in vae.modules()
        if isinstance(module, WanCausalConv3d) and module.kernel_size == (3, 3, 3)
    ]
    assert len(kernels) > 10
    assert all(not kernel[:, :, :-1].any() and kernel[:, :, -1].any() for kernel in kernels)


@torch.no_grad()
def test_a_picture_that_stands_still_is_shown_still(vae: VideoVAE) -> None:
    still_BCTHW = torch.rand(1, 3, 1, 32, 32).expand(-1, -1, 17, -1, -1) * 2 - 1
    decoded = vae.decode(vae.encode(still_BCTHW))
    # The first latent stands for one frame and is computed by itself; from the second on nothing changes.
    torch.testing.assert_close(decoded[:, :, 9:], decoded[:, :, 5:13])


def test_whitened_patches_vary_more_alike_and_come_back(images: Tensor) -> None:
    patches_PN = images.transpose(0, 1).flatten(1)
    whiten_PP, restore_PP = vae_start._whitening(patches_PN)
    torch.testing.assert_close(restore_PP @ whiten_PP @ patches_PN, patches_PN, atol=1e-4, rtol=1e-4)

    def spread(values_PN: Tensor) -> float:
        variance_P = torch.linalg.eigvalsh(values_PN @ values_PN.T)
        return float(variance_P[-1] / variance_P[0])

    assert spread(whiten_PP @ patches_PN) < 1.1 * spread(patches_PN) ** 0.5
