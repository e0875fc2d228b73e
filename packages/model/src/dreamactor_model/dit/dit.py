"""The diffusion transformer of DreamActor-M1 (paper 3.1, 3.2), on a Wan base whose public weights it loads unchanged.

Reference and video latents are one run of frames: they share every weight, and only the timestep (0 for a reference)
and the temporal position (negative for a reference) tell them apart. Whatever the base lacks adds zero at the start.

A segment is denoised in many steps: `prepare` computes once what they share, `forward` is one step.

Legend: B batch, R references, F latent frames, N frames of a run (R + F, or F alone), H W latent rows and columns,
L tokens of a frame, C channels, D width, M face tokens of a latent frame, S text tokens.
"""

from functools import partial
from typing import NamedTuple

import torch
from dreamactor_core.settings.training import ActivationCheckpointing
from einops import rearrange
from torch import Tensor, nn

from dreamactor_model.dit.attention import Attention, KeysValues
from dreamactor_model.dit.checkpointing import run_checkpointed
from dreamactor_model.dit.face_attention import FaceAttention, FoldedFace
from dreamactor_model.dit.layers import ConditionEmbedder, FeedForward, FP32LayerNorm, Modulation
from dreamactor_model.dit.rope import Rotation, frame_positions, rotation_3d
from dreamactor_model.dit.step_cache import StepCache
from dreamactor_model.dit.token_share import EveryToken, TokenShare
from dreamactor_model.dit.warp_prior import expected_velocity
from dreamactor_model.linear import Linear, linear
from dreamactor_model.presets import ActorConfig


class ReferenceKeys(NamedTuple):
    """References as a block's self-attention and its Ref Attn read them, where they never look at the video."""

    in_self: KeysValues
    in_ref: KeysValues


class BlockConstants(NamedTuple):
    """What one block reads at every step of a segment; None for what there is not.

    `references` is None too where they are part of the run, and so change with every step.
    """

    text: KeysValues | None
    face: FoldedFace | None
    references: ReferenceKeys | None = None


class Run(NamedTuple):
    """The frames whose tokens pass through the blocks: `reference_count` references (or none), then the video.

    `rotation` is of all their tokens, `still_rotation` of the video's as if every frame were the first.
    """

    reference_count: int
    rotation: Rotation
    still_rotation: Rotation


class SegmentConstants(NamedTuple):
    """What stays the same while a segment is denoised; `reference_tokens_BRLD` are those of the run.

    `warp_BCFHW` is None where the model reads none.
    """

    run: Run
    reference_tokens_BRLD: Tensor
    pose_tokens_BFLD: Tensor
    blocks: tuple[BlockConstants, ...]
    warp_BCFHW: Tensor | None = None


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

    def forward(self, x_BNLD: Tensor, time_BN6D: Tensor, run: Run, constants: BlockConstants) -> Tensor:
        """One step of the run through the block: (B, N, L, D)."""
        modulation = self._modulation(time_BN6D)
        x_BNLD = self._attend_self(x_BNLD, modulation, run, constants)
        x_BNLD = self._attend_text(x_BNLD, constants)
        x_BNLD = self._attend_references(x_BNLD, modulation, run, constants)
        x_BNLD = self._attend_face(x_BNLD, run, constants)
        return self._feed_forward(x_BNLD, modulation)

    def read_references(
        self, x_BRLD: Tensor, time_BR6D: Tensor, rotation: Rotation, constants: BlockConstants
    ) -> tuple[Tensor, ReferenceKeys]:
        """References alone through the block: their tokens, and what the video will read of them."""
        modulation = self._modulation(time_BR6D)
        tokens = self._enter_attention(x_BRLD, modulation).flatten(1, 2)
        in_self = self.attn1.keys_values(tokens, rotation)
        x_BRLD = _add_gated(x_BRLD, self.attn1(tokens, in_self, rotation).view_as(x_BRLD), modulation.gate)
        x_BRLD = self._attend_text(x_BRLD, constants)
        in_ref = self.ref_attn.keys_values(self._enter_attention(x_BRLD, modulation).flatten(1, 2), rotation)
        return self._feed_forward(x_BRLD, modulation), ReferenceKeys(in_self, in_ref)

    def entered(self, x_BNLD: Tensor, time_BN6D: Tensor) -> Tensor:
        """The tokens as self-attention reads them: by how far these move, steps are skipped."""
        return self._enter_attention(x_BNLD, self._modulation(time_BN6D))

    def _modulation(self, time_BN6D: Tensor) -> Modulation:
        return Modulation(*(self.scale_shift_table.float() + time_BN6D).unsqueeze(3).unbind(2))

    def _attend_self(self, x_BNLD: Tensor, modulation: Modulation, run: Run, constants: BlockConstants) -> Tensor:
        """All tokens of references and video attend to all: 3-D self-attention."""
        tokens = self._enter_attention(x_BNLD, modulation).flatten(1, 2)
        context = self.attn1.keys_values(tokens, run.rotation)
        if constants.references is not None:
            context = constants.references.in_self.followed_by(context)
        mixed = self.attn1(tokens, context, run.rotation)
        return _add_gated(x_BNLD, mixed.view_as(x_BNLD), modulation.gate)

    def _attend_text(self, x_BNLD: Tensor, constants: BlockConstants) -> Tensor:
        if constants.text is None or self.norm2 is None or self.attn2 is None:
            return x_BNLD
        tokens = self.norm2(x_BNLD).type_as(x_BNLD).flatten(1, 2)
        return x_BNLD + self.attn2(tokens, constants.text).view_as(x_BNLD)

    def _attend_references(self, x_BNLD: Tensor, modulation: Modulation, run: Run, constants: BlockConstants) -> Tensor:
        """Each video frame's tokens attend to all reference tokens (paper 3.1, the second, spatial attention).

        Every frame asks the same keys and values, which are therefore projected once. Its queries stand at temporal
        position 0: how far a reference lies must not depend on how late in the clip a frame comes.
        """
        context = None if constants.references is None else constants.references.in_ref
        if context is None and run.reference_count == 0:
            return x_BNLD
        entered = self._enter_attention(x_BNLD, modulation)
        if context is None:
            tokens = entered[:, : run.reference_count].flatten(1, 2)
            context = self.ref_attn.keys_values(tokens, run.rotation.slice(0, tokens.shape[1]))
        video = entered[:, run.reference_count :]
        mixed = self.ref_attn(video.flatten(1, 2), context, run.still_rotation)
        return _add_to_video(x_BNLD, mixed.view_as(video), run)

    def _attend_face(self, x_BNLD: Tensor, run: Run, constants: BlockConstants) -> Tensor:
        """Each video frame's tokens attend to the face motion of their own frame (paper 3.2)."""
        if constants.face is None:
            return x_BNLD
        video = x_BNLD[:, run.reference_count :]
        return _add_to_video(x_BNLD, self.face_attn(self.norm_face(video).type_as(video), constants.face), run)

    def _feed_forward(self, x_BNLD: Tensor, modulation: Modulation) -> Tensor:
        entered = torch.addcmul(modulation.ffn_shift, self.norm3(x_BNLD), 1 + modulation.ffn_scale)
        return _add_gated(x_BNLD, self.ffn(entered.type_as(x_BNLD)), modulation.ffn_gate)

    def _enter_attention(self, x_BNLD: Tensor, modulation: Modulation) -> Tensor:
        return torch.addcmul(modulation.shift, self.norm1(x_BNLD), 1 + modulation.scale).type_as(x_BNLD)


def _add_gated(x: Tensor, update: Tensor, gate: Tensor) -> Tensor:
    return torch.addcmul(x.float(), update.float(), gate).type_as(x)


def _add_to_video(x_BNLD: Tensor, update_BFLD: Tensor, run: Run) -> Tensor:
    """Add to the frames after the references, which stay as they are."""
    if run.reference_count == 0:
        return x_BNLD + update_BFLD
    references, video = x_BNLD.tensor_split([run.reference_count], dim=1)
    return torch.cat([references, video + update_BFLD], dim=1)


class DiT(nn.Module):
    """Predicts the velocity of every video latent from noised latents, references, pose and face motion."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        self.share: TokenShare = EveryToken()
        # Of training: what the backward pass computes again.
        self.checkpointing: ActivationCheckpointing = "none"
        patch = (1, config.patch_size, config.patch_size)
        inputs = config.latent_channels + config.motion_channels
        self.patch_embedding = nn.Conv3d(inputs, config.dim, kernel_size=patch, stride=patch)
        self.condition_embedder = ConditionEmbedder(config.dim, config.frequency_dim, config.text_dim)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.norm_out = FP32LayerNorm(config.dim, config.eps, elementwise_affine=False)
        self.proj_out = Linear(config.dim, config.latent_channels * config.patch_size**2)
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
        if self.config.reference_warp:
            self.begin_with_warp()

    @torch.no_grad()
    def begin_with_warp(self) -> None:
        """Add nothing yet to what the warp implies (`warp_prior`)."""
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def prepare(self, references_BRCHW: Tensor, pose_BCFHW: Tensor, face_BFMC: Tensor | None) -> SegmentConstants:
        """Everything that all steps of a segment share.

        References may have pose channels after those of latents, the pose those of a warped reference after its own.
        """
        channels = self.config.latent_channels
        bias_D = self.patch_embedding.bias
        known = slice(0, references_BRCHW.shape[2])
        references_BRLD = self._patches(references_BRCHW.transpose(1, 2), known) + bias_D
        pose_BFLD = self._patches(pose_BCFHW, slice(channels, None)) + bias_D
        text_BSD = self._text()
        blocks = tuple(
            BlockConstants(
                None if text_BSD is None else block.attn2.keys_values(text_BSD),
                None if face_BFMC is None else block.face_attn.fold(face_BFMC),
            )
            for block in self.blocks
        )
        run = self._run(pose_BCFHW.shape[2:], references_BRLD.shape[1])
        warp_BCFHW = pose_BCFHW[:, self.config.pose_channels :] if self.config.reference_warp else None
        constants = SegmentConstants(run, references_BRLD, pose_BFLD, blocks, warp_BCFHW)
        return self._read_references(constants) if self.config.reference_attention == "causal" else constants

    def forward(
        self,
        latents_BCFHW: Tensor,
        timesteps_BF: Tensor,
        constants: SegmentConstants,
        step_cache: StepCache | None = None,
    ) -> Tensor:
        """Velocity (B, C, F, H, W) of one step."""
        run = constants.run
        video_BFLD = self._patches(latents_BCFHW, slice(0, self.config.latent_channels)) + constants.pose_tokens_BFLD
        x_BNLD = torch.cat([constants.reference_tokens_BRLD, video_BFLD], dim=1)
        clean_BR = timesteps_BF.new_zeros(len(timesteps_BF), run.reference_count)
        embedding_BND, time_BN6D = self.condition_embedder(torch.cat([clean_BR, timesteps_BF], dim=1))
        through_blocks = partial(self._through_blocks, time_BN6D, constants)
        if step_cache is None:
            x_BNLD = through_blocks(x_BNLD)
        else:
            entered = self.share.all(self.blocks[0].entered(x_BNLD, time_BN6D))
            x_BNLD = step_cache.through(x_BNLD, entered, through_blocks)
        velocity = self._project(x_BNLD[:, run.reference_count :], embedding_BND[:, run.reference_count :])
        velocity = velocity.type_as(latents_BCFHW)
        patch, rows = self.config.patch_size, latents_BCFHW.shape[-2] // self.config.patch_size
        velocity_BCFHW = rearrange(
            self.share.all(velocity), "b f (h w) (p q c) -> b c f (h p) (w q)", h=rows, p=patch, q=patch
        )
        if constants.warp_BCFHW is None:
            return velocity_BCFHW
        expected_BCFHW = expected_velocity(latents_BCFHW, timesteps_BF, constants.warp_BCFHW)
        return velocity_BCFHW + expected_BCFHW.type_as(velocity_BCFHW)

    def _through_blocks(self, time_BN6D: Tensor, constants: SegmentConstants, x_BNLD: Tensor) -> Tensor:
        for block, own in zip(self.blocks, constants.blocks, strict=True):
            x_BNLD = run_checkpointed(self.checkpointing, self.config.dim, block, x_BNLD, time_BN6D, constants.run, own)
        return x_BNLD

    def _patches(self, frames_BCFHW: Tensor, channels: slice) -> Tensor:
        """The share that some input channels have in the tokens (B, F, L, D): the patch embedding is linear."""
        weight = self.patch_embedding.weight[:, channels].flatten(1)
        patch = self.config.patch_size
        patches = rearrange(frames_BCFHW, "b c f (h p) (w q) -> b f (h w) (c p q)", p=patch, q=patch)
        return self.share.mine(linear(patches.type_as(weight), weight), axis=2)

    def _run(self, latent_grid: torch.Size, reference_count: int) -> Run:
        config, device = self.config, self.scale_shift_table.device
        frames, rows, columns = latent_grid[0], latent_grid[1] // config.patch_size, latent_grid[2] // config.patch_size
        times_N = frame_positions(reference_count, frames, device)
        rotation = rotation_3d(times_N, rows, columns, config.dim // config.heads, config.rope_theta)
        first = reference_count * rows * columns
        still_rotation = rotation.slice(first, first + rows * columns).repeat(frames)
        return Run(reference_count, rotation.share(self.share, len(times_N)), still_rotation.share(self.share, frames))

    def _read_references(self, constants: SegmentConstants) -> SegmentConstants:
        """Take the references out of the run: they pass through the blocks once, looking only at each other."""
        run, x_BRLD = constants.run, constants.reference_tokens_BRLD
        if run.reference_count == 0:
            return constants
        token_count = run.reference_count * x_BRLD.shape[2]
        rotation, video_rotation = run.rotation.slice(0, token_count), run.rotation.slice(token_count, None)
        _, time_BR6D = self.condition_embedder(x_BRLD.new_zeros(x_BRLD.shape[:2]))
        blocks = []
        for block, own in zip(self.blocks, constants.blocks, strict=True):
            x_BRLD, keys = block.read_references(x_BRLD, time_BR6D, rotation, own)
            blocks.append(own._replace(references=keys))
        video_run = Run(0, video_rotation, run.still_rotation)
        return constants._replace(run=video_run, reference_tokens_BRLD=x_BRLD[:, :0], blocks=tuple(blocks))

    def _text(self) -> Tensor | None:
        embedder = self.condition_embedder.text_embedder
        return None if embedder is None else embedder(self.prompt_SC)[None]

    def _project(self, x_BFLD: Tensor, embedding_BFD: Tensor) -> Tensor:
        table = self.scale_shift_table.float() + embedding_BFD.unsqueeze(2)
        shift, scale = table.unsqueeze(3).unbind(2)
        return self.proj_out(torch.addcmul(shift, self.norm_out(x_BFLD), 1 + scale).type_as(x_BFLD))
