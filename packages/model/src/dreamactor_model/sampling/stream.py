"""A video of any length as a stream: segments -> latents -> frames, in constant memory.

Legend: R references, F latent frames, T video frames, C channels, H W rows and columns; a batch is one video.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.sampling import SamplingSettings
from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.presets import TEMPORAL_STRIDE
from dreamactor_model.sampling.references import References
from dreamactor_model.sampling.segments import Segment, plan_segments
from dreamactor_model.sampling.solver import chosen_steps, solve
from dreamactor_model.vae import VideoVAE


class MotionSource(Protocol):
    """Where a video's motion comes from: asked for one segment at a time, so that a long one is never drawn at once."""

    def __len__(self) -> int:
        """Frames of the video."""
        ...

    def control_maps(self, frames: Sequence[int]) -> np.ndarray:
        """Skeleton and head-sphere maps of these frames, (T, 6, H, W) uint8, at the video's size."""
        ...

    def poses(self, frames: Sequence[int]) -> MotionTrack | None:
        """How the person is to stand in these frames, in pixels of the video; None where maps are all that is known."""
        ...

    def face_crops(self, frames: Sequence[int]) -> np.ndarray | None:
        """Face crops of these frames, (T, 224, 224, 3) uint8; None where no face drives."""
        ...

    def face_tokens(self, frames: Sequence[int]) -> np.ndarray | None:
        """Face motion tokens of these frames, (T, C) float32, where speech made them; None: the crops are asked."""
        ...


@dataclass(frozen=True)
class MotionArrays:
    """A short video's motion, drawn already: maps (T, 6, H, W) and crops (T, 224, 224, 3), uint8, or tokens (T, C).

    `track`, what the maps show, is needed by models that read a warped reference.
    """

    control_TCHW: np.ndarray
    crops_THWC: np.ndarray | None = None
    tokens_TC: np.ndarray | None = None
    track: MotionTrack | None = None

    def __len__(self) -> int:
        return len(self.control_TCHW)

    def control_maps(self, frames: Sequence[int]) -> np.ndarray:
        return self.control_TCHW[list(frames)]

    def poses(self, frames: Sequence[int]) -> MotionTrack | None:
        return None if self.track is None else self.track[list(frames)]

    def face_crops(self, frames: Sequence[int]) -> np.ndarray | None:
        return None if self.crops_THWC is None else self.crops_THWC[list(frames)]

    def face_tokens(self, frames: Sequence[int]) -> np.ndarray | None:
        return None if self.tokens_TC is None else self.tokens_TC[list(frames)]


def sample_stream(
    actor: DreamActor,
    references: References,
    motion: MotionSource,
    settings: SamplingSettings,
    *,
    on_step: Callable[[], None] = lambda: None,
) -> Iterator[Tensor]:
    """Normalised latents of the whole video, (1, C, f, H, W) a segment, each latent once and in order.

    The same settings give the same latents bit for bit on one CPU with one number of threads (another number splits the
    sums otherwise, which changes the last digits): each segment draws its noise from (seed, segment).

    Args:
        motion: of the driving video; latents are made for all its frames.
        on_step: called after each solver step, `step_count` times in all.

    Raises:
        SettingsError: a segment length that is not 4n + 1.
    """
    poses, like = _reference_pose(actor, references), references.latents_RCHW
    carried = like.new_zeros(1, like.shape[1], 0, *like.shape[2:])
    for segment in plan_segments(len(motion), settings.segment_frames):
        conditions = replace(_conditions(actor, references, motion, segment), reference_pose_BRCHW=poses)
        noise = _noise(carried, segment, settings.seed)
        latents = solve(actor, noise, carried, conditions, settings, on_step)
        start = latents.shape[2] - noise.shape[2]
        yield latents[:, :, start : start + segment.kept]
        carried = latents[:, :, -1:]


def step_count(frame_count: int, settings: SamplingSettings) -> int:
    """Solver steps of a whole video."""
    return chosen_steps(settings) * len(plan_segments(frame_count, settings.segment_frames))


@torch.no_grad()
def decode_frames(vae: VideoVAE, latents: Iterable[Tensor], frame_count: int) -> Iterator[Tensor]:
    """Decode a stream of latents once, causally: exactly `frame_count` frames (3, H, W) in [-1, 1], one by one."""
    left = frame_count
    for group_TCHW in vae.decode_stream(latents):
        yield from group_TCHW[:left]
        left -= len(group_TCHW[:left])


@torch.no_grad()
def _conditions(actor: DreamActor, references: References, motion: MotionSource, segment: Segment) -> Conditions:
    """All but the references' pose, which is the same in every segment."""
    frames, latents_RCHW = segment.frame_indices(len(motion)), references.latents_RCHW
    control_TCHW = torch.from_numpy(motion.control_maps(frames)).to(latents_RCHW) / 255
    pose_BCFHW = actor.encode_pose(control_TCHW.transpose(0, 1)[None])
    face_BTC = _face_tokens(actor, motion, frames, latents_RCHW)
    warp_BCFHW = _warped_reference(references, motion, frames) if actor.config.reference_warp else None
    return Conditions(latents_RCHW[None], pose_BCFHW, face_BTC, warp_BCFHW=warp_BCFHW)


@torch.no_grad()
def _reference_pose(actor: DreamActor, references: References) -> Tensor | None:
    if references.control_RCHW is None:
        return None
    control_RCHW = torch.from_numpy(references.control_RCHW).to(references.latents_RCHW) / 255
    return actor.encode_reference_pose(control_RCHW[None])


def _warped_reference(references: References, motion: MotionSource, frames: Sequence[int]) -> Tensor | None:
    """(1, C, F, H, W): the reference as the last frame of each latent frame has it."""
    if references.warp is None:
        return None
    poses = motion.poses(frames[::TEMPORAL_STRIDE])
    assert poses is not None, "a reference is moved to poses that are known"
    return references.warp.latents(poses).transpose(0, 1)[None]


def _face_tokens(actor: DreamActor, motion: MotionSource, frames: Sequence[int], like: Tensor) -> Tensor | None:
    """(1, T, C), as speech made them or as the encoder reads them from crops; None where no face drives."""
    tokens_TC = motion.face_tokens(frames)
    if tokens_TC is not None:
        return torch.from_numpy(tokens_TC).to(like)[None]
    crops_THWC = motion.face_crops(frames)
    if crops_THWC is None:
        return None
    crops_TCHW = torch.from_numpy(crops_THWC).to(like).permute(0, 3, 1, 2) / 255
    return actor.encode_face(crops_TCHW[None])


def _noise(like_BCFHW: Tensor, segment: Segment, seed: int) -> Tensor:
    # Drawn on the CPU, so that a seed names the same noise on every device.
    entropy = int(np.random.SeedSequence([seed, segment.index]).generate_state(1, np.uint64)[0] >> np.uint64(1))
    generator = torch.Generator().manual_seed(entropy)
    batch, channels, _, height, width = like_BCFHW.shape
    shape = (batch, channels, segment.latent_count - int(segment.carried), height, width)
    return torch.randn(shape, generator=generator).to(like_BCFHW)
