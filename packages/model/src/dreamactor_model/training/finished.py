"""The finished weights of a diffusion stage: the actor's checkpoint, and inside it the VAE whose latents it reads.

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

VAE_FOLDER = "vae"
VAE_KEY = "vae_manifest_sha256"


def save_finished(actor: DreamActor, vae_folder: Path, folder: Path, *, about: Mapping[str, Any]) -> None:
    """Write both in one step. The actor's manifest covers the VAE too, through its hash in the configuration."""
    vae_sha256 = sha256_file(vae_folder / MANIFEST_FILE)
    with atomic_directory(folder) as temporary:
        save_checkpoint(actor, temporary, about={**about, VAE_KEY: vae_sha256})
        shutil.copytree(vae_folder, temporary / VAE_FOLDER)


def verify_finished(folder: Path) -> None:
    """Compare every byte with what the actor's manifest says of it.

    Raises:
        WeightsError: no checkpoint, or something in it is missing or has changed.
    """
    verify_checkpoint(folder)
    verify_checkpoint(folder / VAE_FOLDER)
    if sha256_file(folder / VAE_FOLDER / MANIFEST_FILE) != read_about(folder).get(VAE_KEY):
        raise WeightsError("the VAE is not the one the model was trained with", path=folder / VAE_FOLDER)
