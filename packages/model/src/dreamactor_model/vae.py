"""`VideoVAE`: video <-> normalised latents, causal in time, streamed in constant memory (paper 3.1).

One code path: a whole clip is a stream that is collected. The Wan autoencoder works frame group by frame group anyway
and keeps a feature cache between groups; here the cache belongs to the stream, so that a video of any length fits.

Legend: B batch, C latent channels, F latent frames, T = 4F - 3 video frames, H W rows and columns.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, patchify, unpatchify
from dreamactor_core.errors import WeightsError
from torch import Tensor, nn

from dreamactor_model.convolution import Conv3d
from dreamactor_model.presets import TEMPORAL_STRIDE, VAEConfig


class VideoVAE(nn.Module):
    """The Wan autoencoder with its latents normalised by their own statistics.

    `autoencoder` is the bare network, for training it; `set_statistics` then says what its latents look like.
    """

    latents_mean_C: Tensor
    latents_std_C: Tensor

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.autoencoder = _with_fast_convolutions(AutoencoderKLWan(**_diffusers_arguments(config)))
        self.register_buffer("latents_mean_C", torch.zeros(config.latent_channels))
        self.register_buffer("latents_std_C", torch.ones(config.latent_channels))

    @classmethod
    def from_diffusers(cls, source: Path | str) -> "VideoVAE":
        """A public VAE: a folder in the diffusers layout, or a hub id.

        Raises:
            WeightsError: it cannot be loaded as an AutoencoderKLWan.
        """
        try:
            loaded = AutoencoderKLWan.from_pretrained(source, use_safetensors=True, low_cpu_mem_usage=False)
        except (OSError, ValueError, RuntimeError) as problem:
            raise WeightsError(
                f"not an AutoencoderKLWan ({problem})", path=source, remedy="Give a folder in the diffusers layout"
            ) from problem
        vae = cls(_config_of(loaded))
        vae.autoencoder = _with_fast_convolutions(loaded)
        vae.set_statistics(torch.tensor(loaded.config.latents_mean), torch.tensor(loaded.config.latents_std))
        return vae

    def set_statistics(self, mean_C: Tensor, std_C: Tensor) -> None:
        """Mean and standard deviation of each channel of the bare autoencoder's latents."""
        self.latents_mean_C.copy_(mean_C)
        self.latents_std_C.copy_(std_C)

    def encode(self, video_BCTHW: Tensor) -> Tensor:
        """Video in [-1, 1], T = 4F - 3 -> normalised latents (B, C, F, H / stride, W / stride), without sampling."""
        first, rest = video_BCTHW[:, :, :1], video_BCTHW[:, :, 1:]
        groups = [first, *rest.split(TEMPORAL_STRIDE, dim=2)] if rest.shape[2] else [first]
        return torch.cat(list(self.encode_stream(groups)), dim=2)

    def decode(self, latents_BCFHW: Tensor) -> Tensor:
        """Normalised latents -> video (B, 3, 4F - 3, H, W) in [-1, 1]."""
        return torch.cat(list(self._decode_groups([latents_BCFHW])), dim=2)

    def encode_stream(self, groups: Iterable[Tensor]) -> Iterator[Tensor]:
        """Video (B, 3, t, H, W) in groups of 1, 4, 4, ... frames -> latents (B, C, 1, h, w), one a group."""
        cache = _FeatureCache(self.autoencoder.encoder)
        for group_BCTHW in groups:
            if self.config.patch_size is not None:
                group_BCTHW = patchify(group_BCTHW, self.config.patch_size)
            moments = self.autoencoder.quant_conv(self.autoencoder.encoder(group_BCTHW, **cache.arguments()))
            yield self._normalise(moments.chunk(2, dim=1)[0])

    def decode_stream(self, latents: Iterable[Tensor]) -> Iterator[Tensor]:
        """One video's latents (1, C, f, H, W), any f -> its frames (t, 3, H, W) in [-1, 1], in constant memory."""
        for group_BCTHW in self._decode_groups(latents):
            yield group_BCTHW[0].transpose(0, 1)

    def _decode_groups(self, latents: Iterable[Tensor]) -> Iterator[Tensor]:
        cache = _FeatureCache(self.autoencoder.decoder)
        first = True
        for chunk_BCFHW in latents:
            for latent in self._restore(chunk_BCFHW).split(1, dim=2):
                # One latent at a time from here on: the same sums in the same order, however the stream was cut.
                entered = self.autoencoder.post_quant_conv(latent)
                decoded = self.autoencoder.decoder(entered, **cache.arguments(), first_chunk=first)
                first = False
                if self.config.patch_size is not None:
                    decoded = unpatchify(decoded, self.config.patch_size)
                yield decoded.clamp(-1.0, 1.0)

    def _normalise(self, raw_BCFHW: Tensor) -> Tensor:
        return (raw_BCFHW - self.latents_mean_C.view(-1, 1, 1, 1)) / self.latents_std_C.view(-1, 1, 1, 1)

    def _restore(self, latents_BCFHW: Tensor) -> Tensor:
        return latents_BCFHW * self.latents_std_C.view(-1, 1, 1, 1) + self.latents_mean_C.view(-1, 1, 1, 1)


class _FeatureCache:
    """What the causal convolutions of one network remember of a stream: one slot each, filled in their order."""

    def __init__(self, network: nn.Module) -> None:
        self._slots: list[Any] = [None] * sum(isinstance(module, WanCausalConv3d) for module in network.modules())

    def arguments(self) -> dict[str, Any]:
        """The arguments of the next group; the network counts through the slots from zero."""
        return {"feat_cache": self._slots, "feat_idx": [0]}


class CausalConv3d(WanCausalConv3d, Conv3d):
    """The autoencoder's convolution, computed by ours."""


def _with_fast_convolutions(autoencoder: AutoencoderKLWan) -> AutoencoderKLWan:
    # The class alone changes: weights, names and caches stay diffusers' own.
    for module in autoencoder.modules():
        if type(module) is WanCausalConv3d:
            module.__class__ = CausalConv3d
    return autoencoder


def _diffusers_arguments(config: VAEConfig) -> dict[str, Any]:
    pixels = 3 * (config.patch_size or 1) ** 2
    return {
        "base_dim": config.base_dim,
        "decoder_base_dim": config.decoder_base_dim,
        "z_dim": config.latent_channels,
        "dim_mult": list(config.dim_mult),
        "num_res_blocks": config.residual_blocks,
        "temperal_downsample": list(config.temporal_downsample),
        "is_residual": config.is_residual,
        "in_channels": pixels,
        "out_channels": pixels,
        "patch_size": config.patch_size,
        "scale_factor_spatial": config.spatial_stride,
        # Ours are buffers; the public defaults belong to the public weights.
        "latents_mean": [0.0] * config.latent_channels,
        "latents_std": [1.0] * config.latent_channels,
    }


def _config_of(autoencoder: AutoencoderKLWan) -> VAEConfig:
    config = autoencoder.config
    return VAEConfig(
        latent_channels=config.z_dim,
        base_dim=config.base_dim,
        decoder_base_dim=config.decoder_base_dim or config.base_dim,
        dim_mult=tuple(config.dim_mult),
        residual_blocks=config.num_res_blocks,
        temporal_downsample=tuple(config.temperal_downsample),
        is_residual=config.is_residual,
        patch_size=config.patch_size,
    )
