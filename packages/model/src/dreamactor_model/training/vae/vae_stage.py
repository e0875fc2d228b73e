"""Stage vae: a small AutoencoderKLWan learns to pack the clips (only the tiny preset; the others use public weights).

Legend: B batch, C channels, T video frames, F latent frames, H W rows and columns.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.settings.training import VideoVaeStageSettings
from dreamactor_dataset.clip_set import ClipSet
from torch import Tensor, nn

from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.evaluation.metrics.frames.pixels import psnr_db
from dreamactor_model.presets import get_preset
from dreamactor_model.training.pixel_losses import (
    PerceptualTerm,
    as_frames,
    edge_loss,
    opponent_colours,
    to_model_range,
    tone_loss,
)
from dreamactor_model.training.randomness import step_random
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.task import Batch
from dreamactor_model.training.vae import vae_start
from dreamactor_model.vae import VideoVAE

# Images teach detail cheaply; short clips teach time.
_WINDOW_FRAMES = (1, 1, 1, 9)
_LONGEST_WINDOW = max(_WINDOW_FRAMES)
_MEASURED_CLIPS = 16
# So many clips say how pixels vary.
_SAMPLED_CLIPS = 64
# How far a crop around a face may be off its centre, as a share of its side.
_FACE_SHIFT = 0.25


class VideoVaeObjective(nn.Module):
    """L1 of pixels, tones and edges + a small KL, and LPIPS where it has a weight; no discriminator."""

    def __init__(self, vae: VideoVAE, row: VideoVaeStageSettings) -> None:
        super().__init__()
        self.vae = vae
        self._row = row
        self._perceptual = PerceptualTerm(row.perceptual_weight)
        self.register_buffer("opponent_33", opponent_colours(), persistent=False)

    def forward(self, video_BTHWC: Tensor) -> dict[str, Tensor]:
        """Losses of uint8 crops (B, T, H, W, 3)."""
        video_BCTHW = to_model_range(video_BTHWC)
        posterior = self.vae.autoencoder.encode(video_BCTHW).latent_dist
        decoded_BCTHW = self.vae.autoencoder.decode(posterior.sample()).sample.float()
        difference_BCTHW = torch.einsum("oc,bcthw->bothw", self.opponent_33, decoded_BCTHW - video_BCTHW)
        pixel, tone = difference_BCTHW.abs().mean(), tone_loss(difference_BCTHW)
        edges = edge_loss(decoded_BCTHW, video_BCTHW)
        divergence = posterior.kl().mean() / video_BCTHW[0].numel()
        loss = pixel + self._row.tone_weight * tone + self._row.edge_weight * edges + self._row.kl_weight * divergence
        parts = {"pixel_l1": pixel, "tone_l1": tone, "edge_l1": edges, "kl": divergence}
        loss = self._perceptual.add(parts, loss, as_frames(decoded_BCTHW), as_frames(video_BCTHW))
        return {"loss": loss, **parts}


def _corner(center_px: np.ndarray, side: int, size: tuple[int, int]) -> tuple[int, int]:
    """Of a crop as near to a centre as the frame allows."""
    x, y = (
        int(np.clip(round(middle - side / 2), 0, max(0, whole - side)))
        for middle, whole in zip(center_px, size, strict=True)
    )
    return x, y


class VideoVaeTask:
    """Random crops of random windows of random clips."""

    def __init__(self, vae: VideoVAE, clips: ClipSet, row: VideoVaeStageSettings, seed: int) -> None:
        self.module = VideoVaeObjective(vae, row)
        self._clips, self._row, self._seed = clips, row, seed

    @classmethod
    def from_spec(cls, spec: TrainingSpec) -> "VideoVaeTask":
        """The task of a run.

        Raises:
            TrainingError: the preset brings its own, public VAE.
        """
        settings = spec.parsed_settings()
        if settings.model.preset != "tiny":
            raise TrainingError(
                f"preset {settings.model.preset} has a public VAE, which is not trained here",
                remedy="Train stage vae with --preset tiny only",
            )
        vae = VideoVAE(get_preset(settings.model.preset).vae)
        clips = ClipSet.load(spec.manifest, "train", settings.dataset.sampling)
        vae_start.prepare(vae, _first_frames(clips))
        return cls(vae, clips, settings.training.vae, settings.training.seed)

    def batch(self, step: int, slot: int) -> Batch:
        """uint8 crops, all of one length (1 or 9 frames, by step): the shorter, the more of them."""
        frames = _WINDOW_FRAMES[step % len(_WINDOW_FRAMES)]
        random = step_random(self._seed, step, slot)
        crops = [self._crop(clip, frames, random) for clip in self._chosen(step, random)]
        return {"video_BTHWC": torch.from_numpy(np.stack(crops))}

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """Names of the clips in the batch."""
        return [self._clips.clip_id(clip) for clip in self._chosen(step, step_random(self._seed, step, slot))]

    def _chosen(self, step: int, random: np.random.Generator) -> list[int]:
        count = self._row.batch * (_LONGEST_WINDOW // _WINDOW_FRAMES[step % len(_WINDOW_FRAMES)])
        return [int(clip) for clip in random.integers(len(self._clips), size=count)]

    def _crop(self, clip: int, frames: int, random: np.random.Generator) -> np.ndarray:
        width, height = self._clips.table.size(clip)
        start = int(random.integers(self._clips.table.lengths[clip] - frames, endpoint=True))
        window_THWC = self._clips.frames(clip, range(start, start + frames))
        side = self._row.crop
        x = int(random.integers(max(0, width - side), endpoint=True))
        y = int(random.integers(max(0, height - side), endpoint=True))
        flipped = random.random() < 0.5
        if self._row.face_share and random.random() < self._row.face_share:
            face_px = self._clips.face_center_px(clip, start)
            if face_px is not None:
                shift_px = random.uniform(-_FACE_SHIFT, _FACE_SHIFT, size=2) * side
                x, y = _corner(face_px + shift_px, side, (width, height))
        crop_THWC = window_THWC[:, y : y + side, x : x + side]
        return crop_THWC[:, :, ::-1] if flipped else crop_THWC

    @torch.no_grad()
    def save(self, folder: Path) -> Mapping[str, float]:
        """Measure the latents' statistics, store them with the weights, and measure the reconstruction."""
        vae = self.module.vae
        vae_start.finish(vae)
        videos = [self._whole_clip(clip) for clip in range(min(len(self._clips), _MEASURED_CLIPS))]
        vae.set_statistics(torch.zeros_like(vae.latents_mean_C), torch.ones_like(vae.latents_std_C))
        raw_CN = torch.cat([vae.encode(video)[0].flatten(1) for video in videos], dim=1)
        vae.set_statistics(raw_CN.mean(dim=1), raw_CN.std(dim=1))
        measured = {"reconstruction_psnr_db": float(np.mean([_reconstruction_psnr_db(vae, v) for v in videos]))}
        save_checkpoint(vae, folder, about={"stage": "vae", "steps": self._row.steps, **measured})
        return measured

    def _whole_clip(self, clip: int) -> Tensor:
        device = self.module.vae.latents_mean_C.device
        frames_THWC = self._clips.frames(clip)
        usable = (len(frames_THWC) - 1) // 4 * 4 + 1
        return to_model_range(torch.from_numpy(frames_THWC[None, :usable]).to(device))


def _first_frames(clips: ClipSet) -> Tensor:
    """(B, 3, 1, H, W) crops in [-1, 1], one of each of some clips."""
    chosen = np.linspace(0, len(clips) - 1, num=min(len(clips), _SAMPLED_CLIPS)).round().astype(int)
    side = min(min(clips.table.size(clip)) for clip in chosen)
    crops = [clips.frames(int(clip), [0])[:, :side, :side] for clip in chosen]
    return to_model_range(torch.from_numpy(np.stack(crops)))


def _reconstruction_psnr_db(vae: VideoVAE, video_BCTHW: Tensor) -> float:
    decoded_BCTHW = vae.decode(vae.encode(video_BCTHW))
    return float(psnr_db(_to_uint8(decoded_BCTHW), _to_uint8(video_BCTHW)).mean())


def _to_uint8(video_BCTHW: Tensor) -> np.ndarray:
    frames = ((video_BCTHW[0] + 1) * 127.5).round().clamp(0, 255).byte()
    array: np.ndarray = frames.permute(1, 2, 3, 0).cpu().numpy()
    return array
