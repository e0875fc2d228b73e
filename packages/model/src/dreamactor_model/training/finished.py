"""The finished weights of a whole model: the actor's checkpoint, in it the VAE whose latents it reads and its refiner.

One folder is a whole model: what is animated with, evaluated, registered and copied.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_directory, sha256_file

from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import MANIFEST_FILE, read_about, save_checkpoint, verify_checkpoint

VAE_FOLDER, REFINER_FOLDER = "vae", "refiner"
VAE_KEY = "vae_manifest_sha256"
_COVERED = {VAE_FOLDER: VAE_KEY, REFINER_FOLDER: "refiner_manifest_sha256"}


def save_finished(
    actor: DreamActor, vae_folder: Path, folder: Path, *, about: Mapping[str, Any], refiner_folder: Path | None = None
) -> None:
    """Write all in one step. The actor's manifest covers the others too, through their hashes in the configuration.

    Args:
        about: of the actor; what it says of the others is written anew.
        refiner_folder: a finished refiner; None: the model has none.
    """
    others = {VAE_FOLDER: vae_folder} | ({} if refiner_folder is None else {REFINER_FOLDER: refiner_folder})
    known = {name: value for name, value in about.items() if name not in _COVERED.values()}
    covered = {_COVERED[name]: sha256_file(source / MANIFEST_FILE) for name, source in others.items()}
    with atomic_directory(folder) as temporary:
        save_checkpoint(actor, temporary, about=known | covered)
        for name, source in others.items():
            shutil.copytree(source, temporary / name)


def find_refiner(folder: Path) -> Path | None:
    """Where the refiner of a finished model lies, if it has one."""
    return folder / REFINER_FOLDER if _COVERED[REFINER_FOLDER] in read_about(folder) else None


def verify_finished(folder: Path) -> None:
    """Compare every byte with what the actor's manifest says of it.

    Raises:
        WeightsError: no checkpoint, or something in it is missing or has changed.
    """
    verify_checkpoint(folder)
    parts = [folder / VAE_FOLDER] + ([] if (refiner := find_refiner(folder)) is None else [refiner])
    about = read_about(folder)
    for part in parts:
        verify_checkpoint(part)
        if sha256_file(part / MANIFEST_FILE) != about.get(_COVERED[part.name]):
            raise WeightsError(f"the {part.name} is not the one that belongs to the model", path=part)
