"""From references and motion to frames: the model as `animate` uses it, for the result and for made views.

Legend: C channels, H W canvas.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.settings.sampling import SamplingSettings

from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.sampling.canvas import ShrunkMotion, enlarge_frame
from dreamactor_model.sampling.references import References
from dreamactor_model.sampling.refining import refine_frames
from dreamactor_model.sampling.stream import MotionSource, decode_frames, sample_stream, step_count


def make_frames(
    model: LoadedModel,
    references: References,
    motion: MotionSource,
    sampling: SamplingSettings,
    *,
    on_step: Callable[[], None] = lambda: None,
) -> Iterator[np.ndarray]:
    """The person of the references performs the motion: (H, W, 3) uint8 frames, one by one.

    Args:
        references: of `encode_references`.
        motion: on the canvas of the video.
        on_step: called after each solver step.
    """
    shown = ShrunkMotion(motion, model.fineness)
    latents = sample_stream(model.actor, references, shown, sampling, on_step=on_step)
    decoded = decode_frames(model.vae, latents, len(motion))
    frames = (enlarge_frame(frame_CHW, model.fineness) for frame_CHW in decoded)
    if model.refiner is not None:
        assert references.warp is not None, "whoever encodes references for a refiner moves the first"
        frames = refine_frames(model.refiner, frames, references.warp, motion)
    for frame_CHW in frames:
        yield to_pixels(frame_CHW)


def show_frames(
    model: LoadedModel, references: References, motion: MotionSource, sampling: SamplingSettings, title: str
) -> Iterator[np.ndarray]:
    """`make_frames`, its steps shown to whoever waits.

    Args:
        title: what the progress is called.
    """
    tick = _ticker(title, step_count(len(motion), sampling))
    return make_frames(model, references, motion, sampling, on_step=tick)


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
