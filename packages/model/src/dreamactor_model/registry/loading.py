"""From an address in the registry to a folder whose bytes are those that were registered."""

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_directory, sha256_file
from dreamactor_core.settings.model import RELEASED
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import client

from dreamactor_model.registry.versions import CHAMPION, PLACE_TAG, WEIGHTS_TAG, address_of
from dreamactor_model.released import RELEASED_FOLDER

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

_ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>.+)|/(?P<version>\d+))$")
_DOWNLOADS = Path("runs/registry")


def resolve_champion(tracking: TrackingSettings) -> str:
    """The champion's address with its version, such as models:/dreamactor/3: an alias may move while a batch runs.

    Raises:
        WeightsError: there is none.
    """
    return pinned_address(tracking, f"models:/{tracking.model_name}@{CHAMPION}")


def pinned_address(tracking: TrackingSettings, checkpoint: str) -> str:
    """An address in the registry with the version that an alias now stands for; a folder is what it is.

    Raises:
        WeightsError: the registry has no such address.
    """
    return address_of(_addressed(tracking, checkpoint)) if checkpoint.startswith("models:") else checkpoint


def checkpoint_folder(tracking: TrackingSettings, checkpoint: str) -> Path:
    """A local folder that holds the checkpoint, its bytes compared with its manifest and with the registry.

    Args:
        checkpoint: a folder, models:/NAME@ALIAS, models:/NAME/VERSION, or `released`.

    Raises:
        WeightsError: it does not exist or is damaged.
    """
    from dreamactor_model.training.finished import verify_finished

    if not checkpoint.startswith("models:"):
        folder = RELEASED_FOLDER if checkpoint == RELEASED else Path(checkpoint)
        verify_finished(folder)
        return folder
    tags = _addressed(tracking, checkpoint).tags
    if PLACE_TAG not in tags:
        raise WeightsError(f"{checkpoint} does not say where its weights lie", remedy="Register the checkpoint anew")
    return registered_folder(tags[PLACE_TAG], tags[WEIGHTS_TAG])


def registered_folder(place: str, manifest_sha256: str) -> Path:
    """Registered weights on this machine, downloaded once if they lie elsewhere.

    Args:
        place: address of their folder, such as file:///... or s3://...
        manifest_sha256: of the folder's manifest, which holds the digests of all its files.

    Raises:
        WeightsError: they are damaged, or others.
    """
    from dreamactor_model.training.finished import verify_finished

    folder = _local_copy(place, manifest_sha256)
    verify_finished(folder)
    if sha256_file(folder / "manifest.json") != manifest_sha256:
        raise WeightsError(f"the weights are not those registered, which lie at {place}", path=folder)
    return folder


def _addressed(tracking: TrackingSettings, address: str) -> "ModelVersion":
    from mlflow.exceptions import MlflowException

    match = _ADDRESS.match(address)
    if match is None:
        raise WeightsError(f"not an address: {address}", remedy="Write models:/NAME@ALIAS or models:/NAME/VERSION")
    mlflow = client(tracking)
    try:
        version = match["version"] or mlflow.get_model_version_by_alias(match["name"], match["alias"]).version
        return mlflow.get_model_version(match["name"], version)
    except MlflowException as problem:
        raise WeightsError(
            f"the registry has no {address} ({problem.message})",
            remedy="Register and promote a checkpoint: dreamactor model register, dreamactor model promote",
        ) from problem


def _local_copy(place: str, manifest_sha256: str) -> Path:
    parsed = urlparse(place)
    if parsed.scheme in ("", "file"):
        return Path(unquote(parsed.path))
    from mlflow.artifacts import download_artifacts

    target = _DOWNLOADS / manifest_sha256
    folder = target / Path(parsed.path).name
    if not target.exists():
        # Whole or not at all: a download may be cut short.
        with atomic_directory(target) as temporary:
            download_artifacts(artifact_uri=place, dst_path=str(temporary))
    return folder
