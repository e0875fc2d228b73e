"""An evaluated checkpoint becomes a version."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings import Settings
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import ExperimentRun, client

from dreamactor_model.registry.loading import resolve_checkpoint
from dreamactor_model.registry.versions import (
    AUDIO_TAG,
    METRIC_TAG,
    PROTOCOL_TAG,
    WEIGHTS_TAG,
    address_of,
    all_versions,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_ARTIFACT_FOLDER = "checkpoint"
_ARTIFACT_AUDIO = f"{_ARTIFACT_FOLDER}/audio"


@dataclass(frozen=True)
class Registered:
    """A version in the registry."""

    version: str
    address: str


def register_checkpoint(settings: Settings) -> Registered:
    """Make `settings.model.checkpoint` a version with the metrics of its evaluation; a second time changes nothing.

    An audio encoder that was trained for it comes along.

    Raises:
        WeightsError: no whole checkpoint, or it is not the one that was evaluated last.
    """
    from dreamactor_model.audio_weights import audio_beside

    folder = resolve_checkpoint(settings)
    metrics, protocol = _read_evaluation(Path(settings.evaluation.reports_dir), folder)
    audio = audio_beside(folder)
    tags = {
        WEIGHTS_TAG: sha256_file(folder / "manifest.json"),
        PROTOCOL_TAG: _protocol_hash(protocol),
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
        source = f"{mlflow.get_run(run.run_id).info.artifact_uri}/{_ARTIFACT_FOLDER}"
        return mlflow.create_model_version(tracking.model_name, source, run_id=run.run_id, tags=dict(tags))


def _read_evaluation(reports: Path, folder: Path) -> tuple[dict[str, float], dict[str, Any]]:
    remedy = "Measure it with: dreamactor model evaluate"
    try:
        metrics = json.loads((reports / "metrics.json").read_text())
        protocol = json.loads((reports / "protocol.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError) as problem:
        raise WeightsError("the checkpoint has not been evaluated", path=reports, remedy=remedy) from problem
    if protocol[WEIGHTS_TAG] != sha256_file(folder / "manifest.json"):
        raise WeightsError("another checkpoint was evaluated last", path=folder, remedy=remedy)
    return metrics, protocol


def _protocol_hash(protocol: Mapping[str, Any]) -> str:
    """Of what makes two measurements comparable: all but the checkpoint."""
    comparable = {key: value for key, value in protocol.items() if key not in ("checkpoint", WEIGHTS_TAG)}
    return hashlib.sha256(json.dumps(comparable, sort_keys=True).encode()).hexdigest()
