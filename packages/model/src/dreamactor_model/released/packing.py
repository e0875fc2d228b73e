"""A finished model becomes the one that comes with the package: smaller, and with what a stranger must know of it."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_directory
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings.sampling import SamplingSettings

from dreamactor_model.actor import DreamActor
from dreamactor_model.audio_weights import AUDIO_FOLDER, find_audio
from dreamactor_model.checkpoint import load_checkpoint, read_about, save_checkpoint
from dreamactor_model.dit.precision import to_bfloat16
from dreamactor_model.refiner import Refiner
from dreamactor_model.training.finished import VAE_FOLDER, find_refiner, save_finished, verify_finished

LICENCE = "Apache-2.0"
DATA = "synthetic people made by this repository (CC0-1.0); no photograph and no real person"
_MOST_BYTES = 40_000_000
_OF_THE_WEIGHTS = {"steps", "guidance_reference", "guidance_motion"}


def pack_release(checkpoint: Path, output: Path, sampling: SamplingSettings) -> Path:
    """Write the model, its VAE, refiner and audio encoder into one folder, transformer and refiner in bfloat16.

    Args:
        checkpoint: a finished stage of the pipeline; its audio encoder lies beside it.
        output: replaced in one step.
        sampling: the steps and the guidance that it says go with the weights, for whoever says none.

    Raises:
        WeightsError: not a whole model, one without an audio encoder, or one too large to come with a package.
    """
    verify_finished(checkpoint)
    audio = find_audio(checkpoint)
    actor = load_checkpoint(checkpoint, DreamActor)
    to_bfloat16(actor.dit)
    with atomic_directory(output) as temporary:
        with _halved_refiner(checkpoint) as refiner:
            about = _about(checkpoint, sampling)
            save_finished(actor, checkpoint / VAE_FOLDER, temporary, about=about, refiner_folder=refiner)
        shutil.copytree(audio, temporary / AUDIO_FOLDER)
        size = sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file())
        if size > _MOST_BYTES:
            raise WeightsError(
                f"{size / 1e6:.0f} MB are too many for a package: {_MOST_BYTES / 1e6:.0f} at most", path=checkpoint
            )
    return output


@contextmanager
def _halved_refiner(checkpoint: Path) -> Iterator[Path | None]:
    """A folder of the model's refiner in bfloat16, while it is wanted; None where it has none."""
    folder = find_refiner(checkpoint)
    if folder is None:
        yield None
        return
    with TemporaryDirectory() as temporary:
        halved = Path(temporary) / folder.name
        save_checkpoint(load_checkpoint(folder, Refiner).to(torch.bfloat16), halved, about=read_about(folder))
        yield halved


def _about(checkpoint: Path, sampling: SamplingSettings) -> Mapping[str, object]:
    """What was known, and what whoever gets it without the repository should know."""
    return {
        **read_about(checkpoint),
        "licence": LICENCE,
        "data": DATA,
        "sampling": sampling.model_dump(include=_OF_THE_WEIGHTS, exclude_none=True),
        "git_commit": git_commit() or "unknown",
        # Of the workspace whose models/ it lies in.
        "data_versions": data_versions(checkpoint.resolve().parents[1]),
    }
