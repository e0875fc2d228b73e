"""From reference images and motion to frames: the model as `animate` uses it, for the result and for made views.

Legend: R references, T video frames, C channels, H W canvas.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.settings.sampling import SamplingSettings

from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.sampling.stream import MotionSource, decode_frames, sample_stream, step_count


def make_frames(
    model: LoadedModel,
    images_RHWC: np.ndarray,
    motion: MotionSource,
    sampling: SamplingSettings,
    title: str,
    *,
    reference_control_RCHW: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """The person of the images performs the motion: (H, W, 3) uint8 frames, one by one.

    Args:
        images_RHWC: (R, H, W, 3) uint8 references.
        title: what the progress is called.
        reference_control_RCHW: (R, 6, H, W) uint8, how the person stands in the images.
    """
    references_RCHW = encode_images(model, images_RHWC)
    tick = _ticker(title, step_count(len(motion), sampling))
    latents = sample_stream(
        model.actor,
        references_RCHW,
        motion,
        sampling,
        reference_control_RCHW=reference_control_RCHW,
        on_step=tick,
    )
    for frame_CHW in decode_frames(model.vae, latents, len(motion)):
        yield to_pixels(frame_CHW)


@torch.inference_mode()
def encode_images(model: LoadedModel, images_RHWC: np.ndarray) -> torch.Tensor:
    """Normalised latents (R, C, H / stride, W / stride) of images: each is a video of one frame."""
    pixels_RCHW = torch.from_numpy(images_RHWC).permute(0, 3, 1, 2).to(model.device, torch.float32) / 127.5 - 1
    return model.vae.encode(pixels_RCHW[:, :, None])[:, :, 0]


def to_pixels(frame_CHW: torch.Tensor) -> np.ndarray:
    """(3, H, W) in [-1, 1] -> (H, W, 3) uint8."""
    scaled = (frame_CHW.float() + 1) * 127.5
    return scaled.round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()


def _ticker(description: str, total: int) -> Callable[[], None]:
    """A function to call after each of `total` steps."""
    steps = progress(range(total + 1), description, total)
    next(steps)

    def tick() -> None:
        next(steps, None)

    return tick
