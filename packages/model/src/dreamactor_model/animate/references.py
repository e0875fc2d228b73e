"""The subject as the model is shown it: its images as latents, its poses as control maps where the model reads them.

Legend: R references, F frames, C channels, H W canvas.
"""

from functools import cached_property

import numpy as np
import torch
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance
from dreamactor_dataset.fitting import shrink_frames
from dreamactor_dataset.samples import Sample
from dreamactor_signals.warp import ReferenceWarp

from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.subject import Subject
from dreamactor_model.sampling.canvas import shrink_maps
from dreamactor_model.sampling.references import References
from dreamactor_model.vae import VideoVAE


def encode_references(model: LoadedModel, subject: Subject, guidance: Guidance) -> References:
    """All images of the subject; its poses are looked at only for a model that reads them.

    Args:
        guidance: what control maps show.
    """
    poses_RCHW = subject.control_maps(guidance) if model.actor.config.reference_pose else None
    return References(
        encode_images(model.vae, shrink_frames(subject.images_RHWC, model.fineness)),
        None if poses_RCHW is None else shrink_maps(poses_RCHW, model.fineness),
        WarpedReference(model.vae, subject.images_RHWC[0], subject.track, model.fineness),
    )


def encode_sample_references(vae: VideoVAE, sample: Sample, leading: int = 0, fineness: int = 1) -> References:
    """Those of a training sample.

    Args:
        leading: which of them is moved to other poses.
        fineness: sides of its frames, in those that the VAE encodes.
    """
    warp = WarpedReference(vae, sample.references_RHWC[leading], sample.reference_poses[leading], fineness)
    return References(
        encode_images(vae, shrink_frames(sample.references_RHWC, fineness)),
        shrink_maps(sample.reference_control_RCHW, fineness),
        warp,
    )


class WarpedReference:
    """A picture of a person, moved to other poses (`sampling.references.MovedReference`); cut when first asked for.

    Args:
        image_HWC: uint8.
        pose: one frame, how the person stands in it, in its pixels.
        fineness: sides of the image, in those that the VAE encodes.
    """

    def __init__(self, vae: VideoVAE, image_HWC: np.ndarray, pose: MotionTrack, fineness: int = 1) -> None:
        self._vae, self._image_HWC, self._pose, self._fineness = vae, image_HWC, pose, fineness

    @cached_property
    def _warp(self) -> ReferenceWarp:
        return ReferenceWarp(self._image_HWC, self._pose)

    def frames(self, poses: MotionTrack) -> np.ndarray:
        """(F, H, W, 3) uint8, one frame of the poses each."""
        return self._warp.frames(poses)

    def latents(self, poses: MotionTrack) -> torch.Tensor:
        """Normalised latents (F, C, H / stride, W / stride), one frame of the poses each."""
        return encode_images(self._vae, shrink_frames(self.frames(poses), self._fineness))


@torch.inference_mode()
def encode_images(vae: VideoVAE, images_RHWC: np.ndarray) -> torch.Tensor:
    """Normalised latents (R, C, H / stride, W / stride) of images: each is a video of one frame."""
    images_RCHW = torch.from_numpy(images_RHWC).permute(0, 3, 1, 2)
    pixels_RCHW = images_RCHW.to(vae.latents_mean_C.device, torch.float32) / 127.5 - 1
    return vae.encode(pixels_RCHW[:, :, None])[:, :, 0]
