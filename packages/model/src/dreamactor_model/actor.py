"""`DreamActor`: the transformer with its pose and face encoders, the model's public door (paper 3).

Legend: B batch, R references, F latent frames, T = 4F - 3 video frames, C channels or width, H W rows and columns.
"""

import warnings
from dataclasses import replace
from typing import Self

import torch
from dreamactor_core.settings.training import ParameterGroup, ReferenceAttention
from torch import Tensor, nn

from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.dit import DiT, SegmentConstants
from dreamactor_model.dit.face_attention import group_face_tokens
from dreamactor_model.dit.step_cache import StepCache
from dreamactor_model.encoders.face import FaceMLP, FaceMotionEncoder
from dreamactor_model.encoders.pose import PoseEncoder
from dreamactor_model.presets import ActorConfig

# Of one training and its validation videos.
_SHAPES = 64
_FINDER = "face_encoder.finder."
_PATCHES = "dit.patch_embedding.weight"
_FACE_MODULES = frozenset({"face_mlp", "face_attn", "norm_face"})


def parameter_group(name: str) -> ParameterGroup | None:
    """Which group of the progressive training (paper 3.4) a parameter belongs to.

    "face_encoder" is E_f, "face" its MLP and Face Attn, "base" all else: the paper's stage 1 trains the base, stage 2
    the other two, stage 3 everything. A short training does better to leave E_f as stage face made it: the face it is
    shown is the one that is to be made, which teaches it to tell who that is before it teaches what the face does.
    Of none is what finds eyes and mouth in a crop: stage face taught it where they are, and nothing in a video's loss
    does. Learning on, it soon cuts out the dark beside the face, and the tokens tell nothing more.
    """
    if name.startswith(_FINDER):
        return None
    if name.startswith("face_encoder."):
        return "face_encoder"
    return "face" if _FACE_MODULES.intersection(name.split(".")) else "base"


class DreamActor(nn.Module):
    """Animates: velocity of the video's latents from references, body and head maps, and face motion."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        self.pose_encoder = PoseEncoder(config)
        self.face_encoder = FaceMotionEncoder(config)
        self.face_mlp = FaceMLP(config.face_width)
        self.dit = DiT(config)

    def encode_pose(self, control_BCTHW: Tensor) -> Tensor:
        """Control maps (B, 6, 4F - 3, H, W) in [0, 1] -> pose features (B, C, F, H / stride, W / stride)."""
        return self.pose_encoder(control_BCTHW)

    def encode_reference_pose(self, control_BRCHW: Tensor) -> Tensor | None:
        """Control maps of the references (B, R, 6, H, W) in [0, 1] -> their pose features (B, R, C, H', W').

        Each is a clip of one frame. None where the model's references carry no pose.
        """
        if not self.config.reference_pose:
            return None
        features = self.pose_encoder(control_BRCHW.flatten(0, 1).unsqueeze(2))
        return features.squeeze(2).unflatten(0, control_BRCHW.shape[:2])

    def encode_face(self, crops_BTCHW: Tensor) -> Tensor:
        """Face crops (B, T, 3, 224, 224) in [0, 1] -> face motion tokens (B, T, C), one a video frame."""
        batch, frames = crops_BTCHW.shape[:2]
        return self.face_mlp(self.face_encoder(crops_BTCHW.flatten(0, 1))).unflatten(0, (batch, frames))

    def forward(
        self,
        latents_BCFHW: Tensor,
        timesteps_BF: Tensor,
        references_BRCHW: Tensor | None = None,
        pose_BCFHW: Tensor | None = None,
        face_BTC: Tensor | None = None,
        reference_pose_BRCHW: Tensor | None = None,
        warp_BCFHW: Tensor | None = None,
    ) -> Tensor:
        """The velocity e - x0, (B, C, F, H, W).

        Args:
            latents_BCFHW: normalised latents, noised by frame.
            timesteps_BF: noise level of each latent frame, in [0, 1]; 0 for a clean one, such as a carried latent.
            references_BRCHW: normalised latents of the reference images; zeros drop them, None means there are none.
            pose_BCFHW: of `encode_pose`; zeros or None drop it.
            face_BTC: of `encode_face`, T = 4F - 3; zeros drop it, None leaves Face Attn out (stage 1).
            reference_pose_BRCHW: of `encode_reference_pose`; None: nothing is known of how they stand.
            warp_BCFHW: latents of the first reference, moved to the pose of each latent frame; zeros or None drop it.
        """
        batch, channels, frames, height, width = latents_BCFHW.shape
        if references_BRCHW is None:
            references_BRCHW = latents_BCFHW.new_zeros(batch, 0, channels, height, width)
        if pose_BCFHW is None:
            pose_BCFHW = latents_BCFHW.new_zeros(batch, self.config.pose_channels, frames, height, width)
        conditions = Conditions(references_BRCHW, pose_BCFHW, face_BTC, reference_pose_BRCHW, warp_BCFHW)
        return self.denoise(latents_BCFHW, timesteps_BF, self.prepare(conditions))

    def prepare(self, conditions: Conditions) -> SegmentConstants:
        """What all steps of a segment share: positions, tokens of references and pose, keys and values."""
        face_BTC = conditions.face_BTC
        face_BFMC = None if face_BTC is None else group_face_tokens(face_BTC)
        references = [conditions.references_BRCHW]
        if conditions.reference_pose_BRCHW is not None:
            references.append(conditions.reference_pose_BRCHW)
        return self.dit.prepare(torch.cat(references, dim=2), self._motion(conditions), face_BFMC)

    def _motion(self, conditions: Conditions) -> Tensor:
        """Pose features and, where the model reads it, the warped reference after them."""
        pose_BCFHW, warp_BCFHW = conditions.pose_BCFHW, conditions.warp_BCFHW
        if not self.config.reference_warp:
            return pose_BCFHW
        if warp_BCFHW is None:
            batch, _, *grid = pose_BCFHW.shape
            warp_BCFHW = pose_BCFHW.new_zeros(batch, self.config.latent_channels, *grid)
        return torch.cat([pose_BCFHW, warp_BCFHW.type_as(pose_BCFHW)], dim=1)

    def denoise(
        self,
        latents_BCFHW: Tensor,
        timesteps_BF: Tensor,
        constants: SegmentConstants,
        step_cache: StepCache | None = None,
    ) -> Tensor:
        """One step: the velocity (B, C, F, H, W) of latents at their timesteps, under prepared conditions.

        Args:
            step_cache: of the segment, to skip the blocks where their input has hardly changed; None: exact.
        """
        return self.dit(latents_BCFHW, timesteps_BF, constants, step_cache)

    @torch.no_grad()
    def with_warp(self) -> Self:
        """The same model reading a warped reference too; it begins with what the warp implies and learns from there."""
        config = replace(self.config, reference_warp=True)
        grown, state = type(self)(config), self.state_dict()
        known = state[_PATCHES]
        added = known.new_zeros(len(known), config.latent_channels, *known.shape[2:])
        grown.load_state_dict(state | {_PATCHES: torch.cat([known, added], dim=1)})
        grown.dit.begin_with_warp()
        return grown

    def choose_reference_attention(self, kind: ReferenceAttention) -> None:
        """Before training: whether references look at the video. The weights are the same, what they learn is not."""
        self.config = self.dit.config = replace(self.config, reference_attention=kind)

    def compile_blocks(self) -> None:
        """Let torch fuse what is between the matrix products, block by block: all blocks share one compilation."""
        # Rotary turns are one complex product, left to PyTorch because its own is faster than a compiled one.
        warnings.filterwarnings("ignore", message="Torchinductor does not support code generation for complex")
        # Each shape of clip (window, references, size) is compiled for itself. Past torch's own limit of 8 shapes the
        # blocks would run plain again, with one line in the log.
        torch._dynamo.config.recompile_limit = _SHAPES
        for block in self.dit.blocks:
            block.compile(dynamic=False)
