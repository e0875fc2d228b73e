"""Training clips as the finished model makes them, beside what it was shown and what is true.

Legend: T video frames, R references, C channels, H W rows and columns.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_dataset.samples import SampleLoader
from dreamactor_dataset.sampling import Draw

from dreamactor_model.animate.frames import make_frames
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.references import encode_sample_references
from dreamactor_model.sampling.stream import MotionArrays
from dreamactor_model.training.refiner.head_squares import head_squares_px


@dataclass(frozen=True, eq=False)
class MadeClip:
    """What a refiner is shown of a clip, and what it should answer.

    Attributes:
        decoded_THWC: uint8, of the VAE, as large as the clip.
        warp_THWC: uint8, the leading reference moved to the pose of every frame.
        control_TCHW: (T, 6, H, W) uint8 control maps.
        truth_THWC: uint8.
        heads_T3: squares around heads, see `head_squares`.
    """

    decoded_THWC: np.ndarray
    warp_THWC: np.ndarray
    control_TCHW: np.ndarray
    truth_THWC: np.ndarray
    heads_T3: np.ndarray

    def at(self, frames: np.ndarray) -> "MadeClip":
        """Chosen frames of it."""
        return MadeClip(*(getattr(self, field.name)[frames] for field in fields(self)))


class ClipMaker:
    """Lets a model perform training clips, all conditions shown, as `animate` would.

    Args:
        model: without a refiner; it enlarges its frames to those of the clips.
        loader: of the clips.
        sampling: the solver's; seeds are those of the draws.
    """

    def __init__(self, model: LoadedModel, loader: SampleLoader, sampling: SamplingSettings) -> None:
        self._model, self._loader, self._sampling = model, loader, sampling

    def make(self, draw: Draw) -> MadeClip:
        """Of the draw's window.

        Raises:
            ShardError: the clip is damaged.
        """
        sample = self._loader.sample(replace(draw, carried=False, drop_reference=False, drop_motion=False))
        # As for the diffusion stages: any of the whole frames may lead. A half body leads where it is alone.
        leading = draw.augmentation % max(1, len(draw.reference_frames))
        references = encode_sample_references(self._model.vae, sample, leading, self._model.fineness)
        assert references.warp is not None
        motion = MotionArrays(sample.motion.control_TCHW, sample.face_crops_THWC, track=sample.motion.track)
        sampling = self._sampling.model_copy(update={"seed": draw.augmentation})
        return MadeClip(
            np.stack(list(make_frames(self._model, references, motion, sampling))),
            references.warp.frames(sample.motion.track),
            sample.motion.control_TCHW,
            sample.video_THWC,
            head_squares_px(sample.motion.track),
        )


def stack_frames(clips: list[MadeClip]) -> dict[str, torch.Tensor]:
    """Clips of one size and length as a batch, by the names that `RefinerObjective` takes them by."""
    videos = {
        "decoded_BTHWC": [clip.decoded_THWC for clip in clips],
        "warp_BTHWC": [clip.warp_THWC for clip in clips],
        "control_BTCHW": [clip.control_TCHW for clip in clips],
        "truth_BTHWC": [clip.truth_THWC for clip in clips],
        "heads_BT3": [clip.heads_T3 for clip in clips],
    }
    return {name: torch.from_numpy(np.stack(each)) for name, each in videos.items()}
