"""A held-out clip made by the model as it is, at intervals of training: losses do not show what eyes see at once.

Legend: T video frames, R references, C channels, H W rows and columns.
"""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.settings import Settings
from dreamactor_core.video import VideoWriter
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.samples import Sample, SampleLoader
from dreamactor_dataset.sampling import WindowSampler

from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.frames import to_pixels
from dreamactor_model.animate.references import encode_sample_references
from dreamactor_model.checkpoint import load_checkpoint
from dreamactor_model.sampling.stream import MotionArrays, decode_frames, sample_stream
from dreamactor_model.vae import VideoVAE

# Smooth to look at; the speed of the clip itself does not matter here.
_FPS = Fraction(25)


class ValidationClip:
    """The first clip of split val: its reference, its motion, and its truth beside what the model makes of them.

    Args:
        clips: index of the packed clips.
        vae_folder: the VAE whose latents the model reads.
        uses_face: whether the stage shows face tokens.

    Raises:
        InputError: there is no clip to show; before the first step, not at the first video.
    """

    def __init__(self, clips: Path, vae_folder: Path, settings: Settings, *, uses_face: bool) -> None:
        self._settings, self._uses_face = settings, uses_face
        self._vae = load_checkpoint(vae_folder, VideoVAE, device="cuda" if torch.cuda.is_available() else "cpu")
        self._sample = _first_sample(clips, settings)

    @torch.no_grad()
    def make_video(self, actor: DreamActor, path: Path | None) -> None:
        """Sample the clip and write truth and result side by side.

        Args:
            path: None on ranks that only compute: their part of shared tokens or sharded weights is needed.
        """
        sample, vae = self._sample, self._vae
        crops_THWC = sample.face_crops_THWC if self._uses_face else None
        motion = MotionArrays(sample.motion.control_TCHW, crops_THWC, track=sample.motion.track)
        frame_count = len(sample.video_THWC)
        sampling = self._settings.sampling.model_copy(update={"steps": self._settings.training.validation_steps})
        latents = sample_stream(actor, encode_sample_references(vae, sample), motion, sampling)
        made = [to_pixels(frame) for frame in decode_frames(vae, latents, frame_count)]
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = sample.video_THWC.shape[1:3]
        with VideoWriter(path, _FPS, size=(2 * width, height)) as writer:
            for truth, frame in zip(sample.video_THWC, made, strict=True):
                writer.write(np.concatenate([truth, frame], axis=1))


def _first_sample(clips: Path, settings: Settings) -> Sample:
    """Of split val, from its start, with nothing changed or left out."""
    sampling = settings.dataset.sampling
    clip_set = ClipSet.load(clips, "val", sampling)
    (draw, *_) = WindowSampler(clip_set.table, sampling, seed=0, batch_size=1).batch(0)
    plain = replace(draw, start=0, carried=False, drop_reference=False, drop_motion=False, augmentation=0)
    return SampleLoader(clip_set, sampling, settings.signals.guidance).sample(plain)
