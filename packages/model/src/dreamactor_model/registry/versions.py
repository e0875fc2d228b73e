"""What the registry knows of a version: its tags, and how it is addressed."""

from typing import TYPE_CHECKING

from dreamactor_core.errors import WeightsError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
WEIGHTS_TAG, PROTOCOL_TAG, AUDIO_TAG = "weights_sha256", "protocol_sha256", "audio_sha256"
# Where the weights lie; the version's own source is the code that serves them.
PLACE_TAG = "weights_uri"
METRIC_TAG = "metric."
# Set when a version becomes champion: the one before it, to go back to; and when it was gone back from, why.
REPLACED_TAG, ROLLED_BACK_TAG = "replaced", "rolled_back"


def all_versions(mlflow: "MlflowClient", name: str) -> dict[str, "ModelVersion"]:
    """Every version by its number."""
    return {str(entry.version): entry for entry in mlflow.search_model_versions(f"name='{name}'")}


def find_version(mlflow: "MlflowClient", name: str, number: str | None) -> "ModelVersion":
    """A version by its number; None is the newest.

    Raises:
        WeightsError: there is no such version.
    """
    versions = all_versions(mlflow, name)
    chosen = max(versions, key=int, default=None) if number is None else number
    if chosen is None or chosen not in versions:
        wanted = "version" if number is None else f"version {number}"
        raise WeightsError(f"the model {name} has no {wanted}", remedy="Register one with: dreamactor model register")
    return versions[chosen]


def find_champion(mlflow: "MlflowClient", name: str) -> "ModelVersion | None":
    """The version that bears the alias, if one does."""
    number = mlflow.get_registered_model(name).aliases.get(CHAMPION)
    return None if number is None else mlflow.get_model_version(name, number)


def address_of(version: "ModelVersion") -> str:
    """models:/NAME/VERSION"""
    return f"models:/{version.name}/{version.version}"
