"""Checkpoints as versions of a registered MLflow model, and which of them is the champion.

A version is weights by address and sha256, never a pickle: its source is a folder of safetensors in the artifact store.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings import Settings
from dreamactor_core.settings.evaluation import PromotionSettings
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import ExperimentRun, client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
_WEIGHTS_TAG, _PROTOCOL_TAG, _METRIC_TAG = "weights_sha256", "protocol_sha256", "metric."
_AUDIO_TAG = "audio_sha256"
_ARTIFACT_FOLDER = "checkpoint"
_ARTIFACT_AUDIO = f"{_ARTIFACT_FOLDER}/audio"
_ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>.+)|/(?P<version>\d+))$")
_DOWNLOADS = Path("runs/registry")


@dataclass(frozen=True)
class Registered:
    """A version in the registry."""

    version: str
    address: str


@dataclass(frozen=True)
class Decision:
    """What became of a candidate, and why."""

    candidate: str
    promoted: bool
    reason: str


# Registering


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
        _WEIGHTS_TAG: sha256_file(folder / "manifest.json"),
        _PROTOCOL_TAG: _protocol_hash(protocol),
        "config_sha256": sha256_file(folder / "config.json"),
        "git_commit": git_commit() or "unknown",
        **({} if audio is None else {_AUDIO_TAG: sha256_file(audio / "manifest.json")}),
        **data_versions(),
        **{f"{_METRIC_TAG}{name}": str(value) for name, value in metrics.items()},
    }
    mlflow, name = client(settings.tracking), settings.tracking.model_name
    for known in _versions(mlflow, name):
        if all(known.tags.get(tag) == tags.get(tag) for tag in (_WEIGHTS_TAG, _PROTOCOL_TAG, _AUDIO_TAG)):
            return Registered(str(known.version), _address(known))
    created = _create_version(mlflow, settings.tracking, folder, audio, tags)
    return Registered(str(created.version), _address(created))


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
    if protocol[_WEIGHTS_TAG] != sha256_file(folder / "manifest.json"):
        raise WeightsError("another checkpoint was evaluated last", path=folder, remedy=remedy)
    return metrics, protocol


def _protocol_hash(protocol: Mapping[str, Any]) -> str:
    """Of what makes two measurements comparable: all but the checkpoint."""
    comparable = {key: value for key, value in protocol.items() if key not in ("checkpoint", _WEIGHTS_TAG)}
    return hashlib.sha256(json.dumps(comparable, sort_keys=True).encode()).hexdigest()


# Promoting


def promote_version(settings: Settings, version: str | None = None) -> Decision:
    """Move the alias `champion` to a version if it has earned it.

    Args:
        version: the candidate; None takes the newest.

    Raises:
        WeightsError: there is no such version.
    """
    mlflow, name = client(settings.tracking), settings.tracking.model_name
    candidate = _candidate(mlflow, name, version)
    champion = _champion(mlflow, name)
    decision = decide(candidate, champion, settings.evaluation.promotion)
    if decision.promoted:
        mlflow.set_registered_model_alias(name, CHAMPION, candidate.version)
    return decision


def decide(candidate: "ModelVersion", champion: "ModelVersion | None", rule: PromotionSettings) -> Decision:
    """Whether a candidate takes the champion's place. It must be measured, by the champion's protocol, and win."""

    def refused(reason: str) -> Decision:
        return Decision(str(candidate.version), False, reason)

    def promoted(reason: str) -> Decision:
        return Decision(str(candidate.version), True, reason)

    found = candidate.tags.get(f"{_METRIC_TAG}{rule.metric}")
    if found is None:
        return refused(f"it has no metric {rule.metric}")
    if champion is None:
        return promoted(f"there was no champion ({rule.metric} {found})")
    if champion.version == candidate.version:
        return refused("it is the champion already")
    if champion.tags.get(_WEIGHTS_TAG) == candidate.tags.get(_WEIGHTS_TAG):
        return promoted(f"it holds the weights of champion {champion.version}, measured anew")
    if champion.tags.get(_PROTOCOL_TAG) != candidate.tags.get(_PROTOCOL_TAG):
        return refused(
            f"champion {champion.version} was measured on other clips or in another way: evaluate and register "
            f"--checkpoint models:/{champion.name}@{CHAMPION} first"
        )
    holds = champion.tags[f"{_METRIC_TAG}{rule.metric}"]
    comparison = f"{rule.metric} {found} against {holds} of champion {champion.version}, margin {rule.margin}"
    return promoted(comparison) if float(found) > float(holds) + rule.margin else refused(comparison)


def _candidate(mlflow: "MlflowClient", name: str, version: str | None) -> "ModelVersion":
    versions = {str(entry.version): entry for entry in _versions(mlflow, name)}
    chosen = max(versions, key=int, default=None) if version is None else version
    if chosen is None or chosen not in versions:
        wanted = "version" if version is None else f"version {version}"
        raise WeightsError(f"the model {name} has no {wanted}", remedy="Register one with: dreamactor model register")
    return versions[chosen]


def _champion(mlflow: "MlflowClient", name: str) -> "ModelVersion | None":
    version = mlflow.get_registered_model(name).aliases.get(CHAMPION)
    return None if version is None else mlflow.get_model_version(name, version)


def _versions(mlflow: "MlflowClient", name: str) -> list["ModelVersion"]:
    return list(mlflow.search_model_versions(f"name='{name}'"))


# Loading


def resolve_champion(tracking: TrackingSettings) -> str:
    """The champion's address with its version, such as models:/dreamactor/3: an alias may move while a batch runs.

    Raises:
        WeightsError: there is none.
    """
    return _address(_addressed(tracking, f"models:/{tracking.model_name}@{CHAMPION}"))


def resolve_checkpoint(settings: Settings) -> Path:
    """The folder of `settings.model.checkpoint`, which is a folder or an address in the registry."""
    return checkpoint_folder(settings.tracking, settings.model.checkpoint)


def checkpoint_folder(tracking: TrackingSettings, checkpoint: str) -> Path:
    """A local folder that holds the checkpoint, its bytes compared with its manifest and with the registry.

    Args:
        checkpoint: a folder, models:/NAME@ALIAS or models:/NAME/VERSION.

    Raises:
        WeightsError: it does not exist or is damaged.
    """
    from dreamactor_model.training.finished import verify_finished

    if not checkpoint.startswith("models:"):
        verify_finished(Path(checkpoint))
        return Path(checkpoint)
    version = _addressed(tracking, checkpoint)
    folder = _local_copy(version)
    verify_finished(folder)
    if sha256_file(folder / "manifest.json") != version.tags.get(_WEIGHTS_TAG):
        raise WeightsError(f"the weights are not those registered as {checkpoint}", path=folder)
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


def _local_copy(version: "ModelVersion") -> Path:
    source = urlparse(version.source)
    if source.scheme in ("", "file"):
        return Path(unquote(source.path))
    from mlflow.artifacts import download_artifacts

    target = _DOWNLOADS / f"{version.name}-{version.version}"
    if not (target / "manifest.json").exists():
        target.mkdir(parents=True, exist_ok=True)
        download_artifacts(artifact_uri=version.source, dst_path=str(target))
    return target


def _address(version: "ModelVersion") -> str:
    return f"models:/{version.name}/{version.version}"
