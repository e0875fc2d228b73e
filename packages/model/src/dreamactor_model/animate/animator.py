"""`Animator`: a loaded model that makes one video after another (paper Fig. 3).

Legend: R references, T video frames, C channels, H W canvas.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_path, sha256_file
from dreamactor_core.provenance import Ingredient, write_sidecar
from dreamactor_core.settings import Settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.video import VideoWriter
from dreamactor_signals.extraction import extract_video
from dreamactor_signals.retarget import load_standardizer, retarget
from dreamactor_signals.trackers import Tracker, make_tracker

from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.motion import DrivenMotion
from dreamactor_model.animate.request import AnimateRequest, AnimateResult
from dreamactor_model.animate.sheet import SheetRows
from dreamactor_model.animate.subject import Subject, read_subject
from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint, read_about
from dreamactor_model.sampling.stream import decode_frames, sample_stream, step_count
from dreamactor_model.training.finished import VAE_FOLDER
from dreamactor_model.vae import VideoVAE


@dataclass(frozen=True)
class LoadedModel:
    """Networks in memory, and what the sidecar says of them."""

    actor: DreamActor
    vae: VideoVAE
    about: dict[str, object]
    device: torch.device

    @classmethod
    def load(cls, folder: Path, settings: Settings) -> Self:
        """Read a finished stage.

        Raises:
            WeightsError: missing, damaged, or of another preset than the settings name.
        """
        about = read_about(folder)
        if about["preset"] != settings.model.preset:
            raise WeightsError(
                f"holds the preset {about['preset']}, not {settings.model.preset}",
                path=folder,
                remedy=f"Add --preset {about['preset']}",
            )
        device = choose_device(settings.model.device)
        actor = load_checkpoint(folder, DreamActor, device=device)
        vae = load_checkpoint(folder / VAE_FOLDER, VideoVAE, device=device)
        return cls(actor, vae, about | {"manifest_sha256": sha256_file(folder / MANIFEST_FILE)}, device)


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is CUDA where there is one.

    Raises:
        WeightsError: CUDA was asked for and is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as problem:
        raise WeightsError(f"no device {name!r}", remedy="Use --device cpu, cuda, cuda:N or auto") from problem
    if device.type == "cuda" and not torch.cuda.is_available():
        raise WeightsError(f"device {name} was asked for, but there is no CUDA here", remedy="Use --device cpu")
    return device


class Animator:
    """Animates people with one model; loading happens once.

    Args:
        tracker: of driving videos.
        reference_tracker: of references; apart because the person asked for by number or box is one of the video's.
    """

    def __init__(self, model: LoadedModel, tracker: Tracker, reference_tracker: Tracker, settings: Settings) -> None:
        self._model, self._tracker, self._settings = model, tracker, settings
        self._reference_tracker = reference_tracker

    @classmethod
    def from_checkpoint(cls, folder: Path, settings: Settings) -> Self:
        """Load a finished stage and the tracker that the settings name.

        Raises:
            WeightsError: either is missing or does not fit.
        """
        model, tracker = LoadedModel.load(folder, settings), make_tracker(settings.signals)
        anybody = settings.signals.model_copy(update={"person": None, "person_box_px": None})
        reference_tracker = tracker if anybody == settings.signals else make_tracker(anybody)
        return cls(model, tracker, reference_tracker, settings)

    def animate(self, request: AnimateRequest) -> AnimateResult:
        """Make one video, its contact sheet and its sidecar; the video appears last, so it is never without the others.

        Raises:
            InputError, DecodeError: an input that cannot be used; nothing is written then.
        """
        request.check()
        sampling = request.apply(self._settings.sampling)
        rules = self._settings.signals.retarget
        standardizer = load_standardizer(rules.pose_standardizer)
        area = int(str(self._model.about["area"]))
        subject = read_subject(request.references, self._reference_tracker, area=area, standardizer=standardizer)
        driving = extract_video(request.driving, self._tracker, watched=True, max_frames=sampling.max_frames)
        retargeted = retarget(driving, subject.track, rules, at_rest=subject.at_rest)
        own_face = None if "face" in rules.transfer else subject.face_crop()
        motion = DrivenMotion(
            request.driving, driving, retargeted, subject.size, own_face, self._settings.signals.guidance
        )
        result = AnimateResult.beside(request.output)
        with atomic_path(result.video) as unfinished:
            rows = SheetRows(subject, motion)
            with VideoWriter(unfinished, driving.fps, size=subject.size, audio_from=request.driving) as writer:
                for frame in self._frames(subject, motion, sampling):
                    writer.write(frame)
                    rows.add(frame)
            rows.write(result.contact_sheet)
            self._write_sidecar(request, result, unfinished, sampling)
        return result

    def _frames(self, subject: Subject, motion: DrivenMotion, sampling: SamplingSettings) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 frames of the result."""
        references_RCHW = encode_images(self._model, subject.images_RHWC)
        tick = _ticker("sampling", step_count(len(motion), sampling))
        latents = sample_stream(self._model.actor, references_RCHW, motion, sampling, on_step=tick)
        for frame_CHW in decode_frames(self._model.vae, latents, len(motion)):
            yield to_pixels(frame_CHW)

    def _write_sidecar(
        self, request: AnimateRequest, result: AnimateResult, content: Path, sampling: SamplingSettings
    ) -> None:
        references = [Ingredient("reference", path) for path in request.references]
        write_sidecar(
            result.video,
            content=content,
            ingredients=[*references, Ingredient("driving", request.driving)],
            model=self._model.about,
            settings={"sampling": sampling.model_dump(), "signals": self._settings.signals.model_dump()},
        )


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
