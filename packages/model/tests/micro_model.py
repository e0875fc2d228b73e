"""The smallest shapes that still have every branch; tests vary them with `dataclasses.replace`."""

import torch
from dreamactor_model.actor import DreamActor
from dreamactor_model.presets import ActorConfig, VAEConfig
from torch import nn

MICRO_ACTOR = ActorConfig(
    dim=48,
    layers=2,
    heads=2,
    ffn_dim=64,
    latent_channels=4,
    spatial_stride=8,
    pose_channels=3,
    pose_width=4,
    face_width=8,
    face_stem=8,
    frequency_dim=16,
)
MICRO_VAE = VAEConfig(
    latent_channels=4,
    base_dim=4,
    decoder_base_dim=4,
    dim_mult=(1, 2, 2),
    residual_blocks=1,
    temporal_downsample=(True, True),
    patch_size=2,
)


def awake_actor(config: ActorConfig) -> DreamActor:
    """An actor in which no branch is still zero."""
    torch.manual_seed(0)
    actor = DreamActor(config).eval()
    for parameter in actor.dit.parameters():
        nn.init.normal_(parameter, std=0.1)
    return actor
