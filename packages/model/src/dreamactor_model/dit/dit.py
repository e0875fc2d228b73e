"""The diffusion transformer of DreamActor-M1 (paper 3.1, 3.2), on a Wan base whose public weights it loads unchanged.

Reference and video latents are one run of frames: they share every weight, and only the timestep (0 for a reference)
and the temporal position (negative for a reference) tell them apart. Whatever the base lacks adds zero at the start.

Legend: B batch, R references, F latent frames, N = R + F frames, H W latent rows and columns, L tokens of a frame,
C channels, D width, M face tokens of a latent frame, S text tokens.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn

from dreamactor_model.dit.attention import Attention
from dreamactor_model.dit.face_attention import FaceAttention
from dreamactor_model.dit.layers import ConditionEmbedder, FeedForward, FP32LayerNorm, Modulation
from dreamactor_model.dit.rope import Rotation, frame_positions, rotation_3d
from dreamactor_model.presets import ActorConfig


class BlockContext(NamedTuple):
    """What every block reads beside its tokens; the same for all blocks of one forward."""

    reference_count: int
    time_BN6D: Tensor
    rotation: Rotation
    frame_rotation: Rotation
    face_BFMC: Tensor
    text_BSD: Tensor | None


class Block(nn.Module):
    """Self-attention, text (if the base has it), Ref Attn, Face Attn, FFN."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        dim, heads, eps = config.dim, config.heads, config.eps
        self.norm1 = FP32LayerNorm(dim, eps, elementwise_affine=False)
        self.attn1 = Attention(dim, heads, eps)
        self.norm2 = None if config.text_dim is None else FP32LayerNorm(dim, eps)
        self.attn2 = None if config.text_dim is None else Attention(dim, heads, eps)
        self.ref_attn = Attention(dim, heads, eps)
        self.norm_face = FP32LayerNorm(dim, eps)
        self.face_attn = FaceAttention(dim, heads, config.face_width)
        self.norm3 = FP32LayerNorm(dim, eps, elementwise_affine=False)
        self.ffn = FeedForward(dim, config.ffn_dim)
        self.scale_shift_table = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)

    def forward(self, x_BNLD: Tensor, context: BlockContext) -> Tensor:
        modulation = self._modulation(context.time_BN6D)
        x_BNLD = self._attend_self(x_BNLD, modulation, context)
        if context.text_BSD is not None:
            x_BNLD = self._attend_text(x_BNLD, context.text_BSD)
        references_BRLD, video_BFLD = x_BNLD.split([context.reference_count, context.face_BFMC.shape[1]], dim=1)
        if context.reference_count:
            video_BFLD = video_BFLD + self._attend_references(x_BNLD, modulation, context)
        video_BFLD = video_BFLD + self.face_attn(self.norm_face(video_BFLD).type_as(video_BFLD), context.face_BFMC)
        x_BNLD = torch.cat([references_BRLD, video_BFLD], dim=1)
        return self._feed_forward(x_BNLD, modulation)

    def _modulation(self, time_BN6D: Tensor) -> Modulation:
        return Modulation(*(self.scale_shift_table.float() + time_BN6D).unsqueeze(3).unbind(2))

    def _attend_self(self, x_BNLD: Tensor, modulation: Modulation, context: BlockContext) -> Tensor:
        """All tokens of references and video attend to all: 3-D self-attention."""
        tokens = self._enter_attention(x_BNLD, modulation).flatten(1, 2)
        mixed = self.attn1(tokens, tokens, context.rotation, context.rotation)
        return _add_gated(x_BNLD, mixed.view_as(x_BNLD), modulation.gate)

    def _attend_text(self, x_BNLD: Tensor, text_BSD: Tensor) -> Tensor:
        assert self.norm2 is not None
        assert self.attn2 is not None
        tokens = self.norm2(x_BNLD).type_as(x_BNLD).flatten(1, 2)
        return x_BNLD + self.attn2(tokens, text_BSD).view_as(x_BNLD)

    def _attend_references(self, x_BNLD: Tensor, modulation: Modulation, context: BlockContext) -> Tensor:
        """Each video frame's tokens attend to all reference tokens (paper 3.1, the second, spatial attention).

        Every frame asks the same keys and values, which are therefore projected once. Its queries stand at temporal
        position 0: how far a reference lies must not depend on how late in the clip a frame comes.
        """
        entered = self._enter_attention(x_BNLD, modulation)
        references, video = entered[:, : context.reference_count], entered[:, context.reference_count :]
        tokens_a_frame = x_BNLD.shape[2]
        mixed = self.ref_attn(
            video.flatten(1, 2),
            references.flatten(1, 2),
            context.frame_rotation.repeat(video.shape[1]),
            context.rotation.slice(0, context.reference_count * tokens_a_frame),
        )
        return mixed.view_as(video)

    def _feed_forward(self, x_BNLD: Tensor, modulation: Modulation) -> Tensor:
        entered = self.norm3(x_BNLD) * (1 + modulation.ffn_scale) + modulation.ffn_shift
        return _add_gated(x_BNLD, self.ffn(entered.type_as(x_BNLD)), modulation.ffn_gate)

    def _enter_attention(self, x_BNLD: Tensor, modulation: Modulation) -> Tensor:
        return (self.norm1(x_BNLD) * (1 + modulation.scale) + modulation.shift).type_as(x_BNLD)


def _add_gated(x: Tensor, update: Tensor, gate: Tensor) -> Tensor:
    return (x.float() + update.float() * gate).type_as(x)


class DiT(nn.Module):
    """Predicts the velocity of every video latent from noised latents, references, pose and face motion."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        patch = (1, config.patch_size, config.patch_size)
        inputs = config.latent_channels + config.pose_channels
        self.patch_embedding = nn.Conv3d(inputs, config.dim, kernel_size=patch, stride=patch)
        self.condition_embedder = ConditionEmbedder(config.dim, config.frequency_dim, config.text_dim)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.norm_out = FP32LayerNorm(config.dim, config.eps, elementwise_affine=False)
        self.proj_out = nn.Linear(config.dim, config.latent_channels * config.patch_size**2)
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, config.dim) / config.dim**0.5)
        if config.text_dim is not None:
            # One prompt serves every video; its embedding is part of the weights, no text encoder is ever loaded.
            self.register_buffer("prompt_SC", torch.zeros(config.text_tokens, config.text_dim))
        self.reset_branches()

    @torch.no_grad()
    def reset_branches(self) -> None:
        """Make every branch that the base lacks add zero: the model then equals its base.

        Called at birth and after the base's weights are loaded, because Ref Attn starts from self-attention's weights.
        """
        self.patch_embedding.weight[:, self.config.latent_channels :].zero_()
        for block in self.blocks:
            block.ref_attn.start_from(block.attn1)
            nn.init.zeros_(block.face_attn.to_out[0].weight)
            nn.init.zeros_(block.face_attn.to_out[0].bias)

    def forward(
        self,
        latents_BCFHW: Tensor,
        timesteps_BF: Tensor,
        references_BRCHW: Tensor,
        pose_BCFHW: Tensor,
        face_BFMC: Tensor,
    ) -> Tensor:
        """Velocity (B, C, F, H, W); see `DreamActor.forward` for what each input means."""
        reference_count = references_BRCHW.shape[1]
        x_BNLD = self._embed(latents_BCFHW, references_BRCHW, pose_BCFHW)
        timesteps_BN = torch.cat([timesteps_BF.new_zeros(len(timesteps_BF), reference_count), timesteps_BF], dim=1)
        embedding_BND, time_BN6D = self.condition_embedder(timesteps_BN)
        context = self._context(latents_BCFHW.shape[-3:], reference_count, time_BN6D, face_BFMC)
        for block in self.blocks:
            x_BNLD = block(x_BNLD, context)
        velocity = self._project(x_BNLD[:, reference_count:], embedding_BND[:, reference_count:])
        rows = latents_BCFHW.shape[-2] // self.config.patch_size
        patch = self.config.patch_size
        return rearrange(velocity, "b f (h w) (p q c) -> b c f (h p) (w q)", h=rows, p=patch, q=patch)

    def _embed(self, latents_BCFHW: Tensor, references_BRCHW: Tensor, pose_BCFHW: Tensor) -> Tensor:
        """Patches of [latent, pose feature] as tokens; a reference has no pose, it carries zeros there."""
        references_BCRHW = references_BRCHW.transpose(1, 2)
        no_pose = pose_BCFHW.new_zeros(*pose_BCFHW.shape[:2], references_BCRHW.shape[2], *pose_BCFHW.shape[3:])
        frames = torch.cat([references_BCRHW, latents_BCFHW], dim=2)
        pose = torch.cat([no_pose, pose_BCFHW], dim=2)
        patches = self.patch_embedding(torch.cat([frames, pose], dim=1))
        return rearrange(patches, "b d n h w -> b n (h w) d").contiguous()

    def _context(
        self, latent_grid: torch.Size, reference_count: int, time_BN6D: Tensor, face_BFMC: Tensor
    ) -> BlockContext:
        config = self.config
        frames, rows, columns = latent_grid[0], latent_grid[1] // config.patch_size, latent_grid[2] // config.patch_size
        times_N = frame_positions(reference_count, frames, time_BN6D.device)
        head_dim = config.dim // config.heads
        rotation = rotation_3d(times_N, rows, columns, head_dim, config.rope_theta)
        first = reference_count * rows * columns
        frame_rotation = rotation.slice(first, first + rows * columns)
        return BlockContext(reference_count, time_BN6D, rotation, frame_rotation, face_BFMC, self._text())

    def _text(self) -> Tensor | None:
        embedder = self.condition_embedder.text_embedder
        return None if embedder is None else embedder(self.prompt_SC)[None]

    def _project(self, x_BFLD: Tensor, embedding_BFD: Tensor) -> Tensor:
        table = self.scale_shift_table.float() + embedding_BFD.unsqueeze(2)
        shift, scale = table.unsqueeze(3).unbind(2)
        return self.proj_out((self.norm_out(x_BFLD) * (1 + scale) + shift).type_as(x_BFLD))
