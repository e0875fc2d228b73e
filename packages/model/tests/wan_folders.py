"""Small Wan bases on disk, with random weights, in the layouts in which public ones come."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from dreamactor_model.presets import ActorConfig, Preset, VAEConfig, get_preset
from safetensors.torch import save_file
from torch import Tensor

TEXT_DIM, TEXT_TOKENS = 12, 8

_VAE_8X = VAEConfig(
    latent_channels=16,
    base_dim=4,
    decoder_base_dim=4,
    dim_mult=(1, 2, 2, 2),
    residual_blocks=1,
    temporal_downsample=(False, True, True),
)
_VAE_16X = dataclasses.replace(_VAE_8X, latent_channels=48, is_residual=True, patch_size=2)


def _preset(name: str, vae: VAEConfig) -> Preset:
    actor = ActorConfig(
        dim=48,
        layers=3,
        heads=2,
        ffn_dim=64,
        latent_channels=vae.latent_channels,
        spatial_stride=vae.spatial_stride,
        pose_channels=3,
        pose_width=4,
        face_width=8,
        face_stem=8,
        frequency_dim=16,
        text_dim=TEXT_DIM,
        text_tokens=TEXT_TOKENS,
    )
    return dataclasses.replace(get_preset("tiny"), name=name, actor=actor, vae=vae)


# As Wan2.1-T2V and as Wan2.2-TI2V.
T2V, TI2V = _preset("small-t2v", _VAE_8X), _preset("small-ti2v", _VAE_16X)
# Large enough that its weights outweigh what a process needs anyway: 107 MB.
LARGE = dataclasses.replace(
    T2V, name="large-t2v", actor=dataclasses.replace(T2V.actor, dim=512, layers=8, heads=4, ffn_dim=1024)
)
SMALL_PRESETS = {preset.name: preset for preset in (T2V, TI2V)}


def wan_sizes(actor: ActorConfig) -> dict[str, Any]:
    """The arguments that make diffusers' transformer as large."""
    return {
        "num_attention_heads": actor.heads,
        "attention_head_dim": actor.dim // actor.heads,
        "in_channels": actor.latent_channels,
        "out_channels": actor.latent_channels,
        "text_dim": actor.text_dim,
        "freq_dim": actor.frequency_dim,
        "ffn_dim": actor.ffn_dim,
        "num_layers": actor.layers,
    }


def random_wan(actor: ActorConfig, **changes: Any) -> WanTransformer3DModel:
    """diffusers' transformer of these sizes, no parameter at its default."""
    torch.manual_seed(0)
    model = WanTransformer3DModel(**(wan_sizes(actor) | changes)).eval()
    with torch.no_grad():  # norms start at one, which would hide a norm put in the wrong place
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def random_vae(config: VAEConfig) -> AutoencoderKLWan:
    """diffusers' autoencoder of these sizes, with statistics unlike the public ones."""
    torch.manual_seed(1)
    pixels = 3 * (config.patch_size or 1) ** 2
    return AutoencoderKLWan(
        base_dim=config.base_dim,
        decoder_base_dim=config.decoder_base_dim,
        z_dim=config.latent_channels,
        dim_mult=list(config.dim_mult),
        num_res_blocks=config.residual_blocks,
        temperal_downsample=list(config.temporal_downsample),
        is_residual=config.is_residual,
        in_channels=pixels,
        out_channels=pixels,
        patch_size=config.patch_size,
        scale_factor_spatial=config.spatial_stride,
        latents_mean=torch.linspace(-0.4, 0.6, config.latent_channels).tolist(),
        latents_std=torch.linspace(0.5, 2.5, config.latent_channels).tolist(),
    ).eval()


def write_diffusers(folder: Path, preset: Preset, *, shard_size: str = "5GB") -> WanTransformer3DModel:
    """transformer/ and vae/, as diffusers saves a pipeline."""
    wan = random_wan(preset.actor)
    wan.save_pretrained(folder / "transformer", max_shard_size=shard_size)
    random_vae(preset.vae).save_pretrained(folder / "vae")
    return wan


def write_original(folder: Path, preset: Preset, *, files: int = 1, prefix: str = "") -> WanTransformer3DModel:
    """The same weights under the names of Wan's authors, in a folder without a VAE."""
    wan = random_wan(preset.actor)
    folder.mkdir(parents=True)
    state = {prefix + original_name(name): tensor.contiguous() for name, tensor in wan.state_dict().items()}
    for number in range(files):
        part: dict[str, Tensor] = {name: state[name] for name in sorted(state)[number::files]}
        ending = "" if files == 1 else f"-{number + 1:05d}-of-{files:05d}"
        save_file(part, folder / f"diffusion_pytorch_model{ending}.safetensors")
    actor = preset.actor
    config = {
        "_class_name": "WanModel",
        "model_type": "t2v",
        "dim": actor.dim,
        "eps": actor.eps,
        "num_heads": actor.heads,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return wan


def original_name(name: str) -> str:
    """diffusers' name -> Wan's; written down apart from the import's own table."""
    if not name.startswith("blocks."):
        for ours, theirs in (
            ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
            ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
            ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
            ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
            ("condition_embedder.time_proj", "time_projection.1"),
            ("proj_out", "head.head"),
        ):
            name = name.replace(ours, theirs)
        return "head.modulation" if name == "scale_shift_table" else name
    for ours, theirs in (
        ("attn1.", "self_attn."),
        ("attn2.", "cross_attn."),
        (".to_out.0.", ".o."),
        (".to_q.", ".q."),
        (".to_k.", ".k."),
        (".to_v.", ".v."),
        (".norm2.", ".norm3."),
        ("ffn.net.0.proj.", "ffn.0."),
        ("ffn.net.2.", "ffn.2."),
        ("scale_shift_table", "modulation"),
    ):
        name = name.replace(ours, theirs)
    return name
