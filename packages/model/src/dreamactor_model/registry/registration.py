"""An evaluated checkpoint becomes a version."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings import Settings
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import ExperimentRun, client

from dreamactor_model.registry.loading import checkpoint_folder
from dreamactor_model.registry.versions import (
    AUDIO_TAG,
    METRIC_TAG,
    PLACE_TAG,
    PROTOCOL_TAG,
    WEIGHTS_TAG,
    address_of,
    all_versions,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_ARTIFACT_FOLDER, _ARTIFACT_MODEL = "checkpoint", "model"
_ARTIFACT_AUDIO = f"{_ARTIFACT_FOLDER}/audio"
# The contender of an evaluation that is the checkpoint as it is used.
_JUDGED = "model"
_NOT_COMPARED = ("checkpoint", WEIGHTS_TAG, "variant_weights_sha256", "manifest_sha256")


@dataclass(frozen=True)
class Registered:
    """A version in the registry."""

    version: str
    address: str


def register_checkpoint(settings: Settings) -> Registered:
    """Make `evaluation.checkpoint` a version with the metrics of its evaluation; a second time changes nothing.

    An audio encoder that was trained for it comes along.

    Raises:
        WeightsError: no whole checkpoint, or it is not the one that was evaluated last.
    """
    from dreamactor_model.audio_weights import audio_beside

    folder = checkpoint_folder(settings.tracking, settings.evaluation.checkpoint)
    metrics, protocol = _read_evaluation(settings, folder)
    audio = audio_beside(folder)
    tags = {
        WEIGHTS_TAG: sha256_file(folder / "manifest.json"),
        PROTOCOL_TAG: protocol_sha256(protocol),
        "config_sha256": sha256_file(folder / "config.json"),
        "git_commit": git_commit() or "unknown",
        **({} if audio is None else {AUDIO_TAG: sha256_file(audio / "manifest.json")}),
        **data_versions(),
        **{f"{METRIC_TAG}{name}": str(value) for name, value in metrics.items()},
    }
    mlflow, name = client(settings.tracking), settings.tracking.model_name
    for known in all_versions(mlflow, name).values():
        if all(known.tags.get(tag) == tags.get(tag) for tag in (WEIGHTS_TAG, PROTOCOL_TAG, AUDIO_TAG)):
            return Registered(str(known.version), address_of(known))
    created = _create_version(mlflow, settings.tracking, folder, audio, tags)
    return Registered(str(created.version), address_of(created))


def _create_version(
    mlflow: "MlflowClient", tracking: TrackingSettings, folder: Path, audio: Path | None, tags: Mapping[str, str]
) -> "ModelVersion":
    from mlflow.exceptions import MlflowException

    try:
        mlflow.create_registered_model(tracking.model_name)
    except MlflowException as problem:
        if problem.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # The working copy changes with the next training; the version keeps its own.
    with ExperimentRun.start(tracking, "register", tags={"kind": "registration", **tags}) as run:
        run.artifact(folder, _ARTIFACT_FOLDER)
        if audio is not None:
            run.artifact(audio, _ARTIFACT_AUDIO)
        root = mlflow.get_run(run.run_id).info.artifact_uri
        placed = {PLACE_TAG: f"{root}/{_ARTIFACT_FOLDER}"}
        with TemporaryDirectory() as temporary:
            run.artifact(_write_model(Path(temporary), placed[PLACE_TAG], tags[WEIGHTS_TAG]), _ARTIFACT_MODEL)
        return mlflow.create_model_version(
            tracking.model_name, f"{root}/{_ARTIFACT_MODEL}", run_id=run.run_id, tags={**tags, **placed}
        )


def _write_model(folder: Path, place: str, manifest_sha256: str) -> Path:
    """The version as MLflow loads one: code, and where its weights lie."""
    from mlflow.pyfunc import save_model

    from dreamactor_model import __version__

    save_model(
        folder / "model",
        python_model=str(Path(__file__).with_name("served_model.py")),
        model_config={"weights": place, "weights_sha256": manifest_sha256},
        pip_requirements=[f"dreamactor-model=={__version__}"],
    )
    return folder / "model"


def _read_evaluation(settings: Settings, folder: Path) -> tuple[dict[str, float], dict[str, Any]]:
    """The model's figures in the suite that decides, and how they were made."""
    suite = settings.evaluation.suite
    report = Path(settings.evaluation.reports_dir) / suite
    remedy = f"Measure it with: dreamactor model evaluate --suite {suite}"
    try:
        contenders = json.loads((report / "metrics.json").read_text())["variants"]
        protocol = json.loads((report / "protocol.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError) as problem:
        raise WeightsError("the checkpoint has not been evaluated", path=report, remedy=remedy) from problem
    if protocol[WEIGHTS_TAG] != sha256_file(folder / "manifest.json"):
        raise WeightsError("another checkpoint was evaluated last", path=folder, remedy=remedy)
    if _JUDGED not in contenders:
        remedy = "Choose a suite in which the checkpoint itself competes, such as evaluation.suite=held-out"
        raise WeightsError(f"suite {suite} compares variants and judges no checkpoint", path=report, remedy=remedy)
    return {name: figure["value"] for name, figure in contenders[_JUDGED].items()}, protocol


def protocol_sha256(protocol: Mapping[str, Any]) -> str:
    """Of what makes two measurements comparable: all but the weights, and a manifest of which the clips stand for."""
    comparable = {key: value for key, value in protocol.items() if key not in _NOT_COMPARED}
    return hashlib.sha256(json.dumps(comparable, sort_keys=True).encode()).hexdigest()
