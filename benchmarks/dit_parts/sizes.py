"""The sizes at which transformers are compared, and the same weights in diffusers' model and in ours.

Legend: B batch, F latent frames, C channels, H W latent rows and columns, S text tokens.
"""

from dataclasses import dataclass

import torch
from diffusers import WanTransformer3DModel
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.dit import SegmentConstants
from dreamactor_model.dit.layers import TIMESTEP_SCALE
from dreamactor_model.presets import ActorConfig
from torch import Tensor

LATENT_CHANNELS, TEXT_TOKENS, TEXT_DIM = 16, 64, 128
HEAD_DIM = 64


@dataclass(frozen=True)
class Size:
    """A transformer and the clip it works on; a token is a patch of 2 x 2 latents."""

    name: str
    dim: int
    layers: int
    frames: int
    rows: int
    columns: int

    @property
    def latent_shape(self) -> tuple[int, int, int, int, int]:
        """(B, C, F, H, W) of one clip."""
        return (1, LATENT_CHANNELS, self.frames, self.rows, self.columns)


# 1280, 480 and 192 tokens.
BASE = Size("base", dim=512, layers=6, frames=5, rows=32, columns=32)
SMALL = Size("small", dim=256, layers=8, frames=5, rows=24, columns=16)
TINY = Size("tiny", dim=64, layers=4, frames=3, rows=16, columns=16)


def actor_config(size: Size) -> ActorConfig:
    """Ours, with a text branch as the base has it."""
    return ActorConfig(
        dim=size.dim,
        layers=size.layers,
        heads=max(size.dim // HEAD_DIM, 2),
        ffn_dim=4 * size.dim,
        latent_channels=LATENT_CHANNELS,
        spatial_stride=8,
        pose_channels=16,
        pose_width=8,
        face_width=128,
        face_stem=16,
        text_dim=TEXT_DIM,
        text_tokens=TEXT_TOKENS,
    )


def wan_transformer(config: ActorConfig) -> WanTransformer3DModel:
    """Diffusers' transformer of the same sizes, with random weights."""
    torch.manual_seed(0)
    return WanTransformer3DModel(
        num_attention_heads=config.heads,
        attention_head_dim=config.dim // config.heads,
        in_channels=config.latent_channels,
        out_channels=config.latent_channels,
        text_dim=config.text_dim,
        freq_dim=config.frequency_dim,
        ffn_dim=config.ffn_dim,
        num_layers=config.layers,
    ).eval()


def with_weights_of(wan: WanTransformer3DModel, size: Size) -> DreamActor:
    """Ours with those weights and a random prompt."""
    actor = DreamActor(actor_config(size)).eval()
    state = dict(wan.state_dict())
    pose_columns = actor.dit.patch_embedding.weight[:, LATENT_CHANNELS:].detach()
    state["patch_embedding.weight"] = torch.cat([state["patch_embedding.weight"], pose_columns], dim=1)
    unexpected = actor.dit.load_state_dict(state, strict=False).unexpected_keys
    if unexpected:
        raise ValueError(f"the two models differ: {unexpected}")
    actor.dit.reset_branches()
    actor.dit.prompt_SC.copy_(torch.randn(TEXT_TOKENS, TEXT_DIM, generator=torch.Generator().manual_seed(1)))
    return actor


@dataclass(frozen=True)
class Step:
    """One evaluation of either model at the same noise, time and prompt."""

    latents_BCFHW: Tensor
    time: float
    prompt_BSC: Tensor

    @classmethod
    def of(cls, size: Size, actor: DreamActor) -> "Step":
        """A random one."""
        latents = torch.randn(size.latent_shape, generator=torch.Generator().manual_seed(2))
        return cls(latents.to(actor.dit.prompt_SC), 0.7, actor.dit.prompt_SC[None])

    def wan(self, model: WanTransformer3DModel) -> Tensor:
        """Diffusers' velocity."""
        time_B = self.latents_BCFHW.new_full((1,), self.time * TIMESTEP_SCALE)
        return model(self.latents_BCFHW, time_B, self.prompt_BSC).sample

    def times(self) -> Tensor:
        """The same time for every frame, (B, F)."""
        return self.latents_BCFHW.new_full(self.latents_BCFHW.shape[:3:2], self.time)

    def ours(self, actor: DreamActor) -> Tensor:
        """Our velocity, its constants computed anew."""
        return actor(self.latents_BCFHW, self.times())

    def constants(self, actor: DreamActor) -> SegmentConstants:
        """What all steps share: here the prompt and the positions, no references, no face, no pose."""
        batch, channels, _, rows, columns = self.latents_BCFHW.shape
        pose = self.latents_BCFHW.new_zeros(batch, actor.config.pose_channels, *self.latents_BCFHW.shape[2:])
        return actor.prepare(Conditions(pose.new_zeros(batch, 0, channels, rows, columns), pose, None))
