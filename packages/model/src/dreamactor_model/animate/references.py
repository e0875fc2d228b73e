"""The subject as the model is shown it: its images as latents, its poses as control maps where the model reads them.

Legend: R references, C channels, H W canvas.
"""

import numpy as np
import torch
from dreamactor_core.settings.signals import Guidance

from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.subject import Subject
from dreamactor_model.sampling.references import References


def encode_references(model: LoadedModel, subject: Subject, guidance: Guidance) -> References:
    """All images of the subject; its control maps are drawn only for a model whose references carry a pose.

    Args:
        guidance: what control maps show.
    """
    control_RCHW = subject.control_maps(guidance) if model.actor.config.reference_pose else None
    return References(encode_images(model, subject.images_RHWC), control_RCHW)


@torch.inference_mode()
def encode_images(model: LoadedModel, images_RHWC: np.ndarray) -> torch.Tensor:
    """Normalised latents (R, C, H / stride, W / stride) of images: each is a video of one frame."""
    pixels_RCHW = torch.from_numpy(images_RHWC).permute(0, 3, 1, 2).to(model.device, torch.float32) / 127.5 - 1
    return model.vae.encode(pixels_RCHW[:, :, None])[:, :, 0]
