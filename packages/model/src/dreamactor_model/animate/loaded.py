"""A finished model in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.settings import Settings
from dreamactor_core.settings.model import ModelSettings
from dreamactor_core.settings.sampling import SamplingSettings

from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint, read_about
from dreamactor_model.dit.precision import to_bfloat16
from dreamactor_model.memory.offload import offload_blocks
from dreamactor_model.refiner import Refiner
from dreamactor_model.training.finished import VAE_FOLDER, find_refiner
from dreamactor_model.vae import VideoVAE


@dataclass(frozen=True)
class LoadedModel:
    """Networks in memory, and what is known of them.

    Attributes:
        folder: where they came from.
        about: what the sidecar says of the weights.
        max_references: as many as they ever saw in training.
        refiner: None where the model has none; frames are then what the VAE decodes.
        fineness: sides of the video's canvas, in those of the frames that the VAE decodes.
    """

    folder: Path
    actor: DreamActor
    vae: VideoVAE
    about: dict[str, Any]
    device: torch.device
    max_references: int
    refiner: Refiner | None = None
    fineness: int = 1

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
        actor = _load_actor(folder, device, settings.model)
        vae = load_checkpoint(folder / VAE_FOLDER, VideoVAE, device=device)
        refiner = _load_refiner(folder, device, settings.model)
        # Weights from before this was written down are as old as the settings' default.
        max_references = int(about.get("max_references", settings.dataset.sampling.max_references))
        about = about | {"manifest_sha256": sha256_file(folder / MANIFEST_FILE)}
        return cls(folder, actor, vae, about, device, max_references, refiner, fineness_of(about))


def as_trained(sampling: SamplingSettings, about: Mapping[str, Any]) -> SamplingSettings:
    """The settings as a model wants them.

    Segments are no longer than the clips that it was trained on; steps and guidance of which the settings say nothing
    are what the model was released with.

    Args:
        about: of the model; what was trained before its clips were written down takes the settings as they are.
    """
    longest = min(sampling.segment_frames, int(about.get("max_frames", sampling.segment_frames)))
    unsaid = {name: value for name, value in about.get("sampling", {}).items() if getattr(sampling, name) is None}
    return sampling.model_copy(update={"segment_frames": longest, **unsaid})


def fineness_of(about: Mapping[str, Any]) -> int:
    """Sides of a video's canvas, in those of the frames that the VAE decodes: what a refiner makes of them.

    Args:
        about: of a finished model; one without a refiner, or from before any was finer, says nothing.
    """
    return int(about.get("fineness", 1))


def _load_actor(folder: Path, device: torch.device, settings: ModelSettings) -> DreamActor:
    # In main memory first, where the device should never hold all blocks or all in single precision.
    actor = load_checkpoint(folder, DreamActor)
    if settings.precision == "bfloat16":
        to_bfloat16(actor.dit)
    else:
        actor.float()
    if settings.offload == "blocks":
        offload_blocks(actor, device)
    else:
        actor.to(device)
    if settings.compile:
        actor.compile_blocks()
    return actor


def _load_refiner(folder: Path, device: torch.device, settings: ModelSettings) -> Refiner | None:
    """In the transformer's precision, whatever its file is in: it computes in the type of its weights.

    Channels lie last: CPUs convolve that order half again as fast.
    """
    refiner_folder = find_refiner(folder)
    if refiner_folder is None:
        return None
    dtype = torch.bfloat16 if settings.precision == "bfloat16" else torch.float32
    return load_checkpoint(refiner_folder, Refiner, device=device).to(dtype=dtype, memory_format=torch.channels_last)


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
