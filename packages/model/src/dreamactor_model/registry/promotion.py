"""Which version is the champion: by stated rules, one move at a time, and back again."""

import fcntl
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreamactor_core.errors import WeightsError
from dreamactor_core.settings import Settings
from dreamactor_core.settings.evaluation import HIGHER_IS_BETTER, MetricName, PromotionSettings
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import client

from dreamactor_model.registry.versions import (
    CHAMPION,
    METRIC_TAG,
    PROTOCOL_TAG,
    REPLACED_TAG,
    ROLLED_BACK_TAG,
    WEIGHTS_TAG,
    find_champion,
    find_version,
)

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Decision:
    """What became of a candidate, and why."""

    candidate: str
    promoted: bool
    reason: str


def promote_version(settings: Settings, version: str | None = None) -> Decision:
    """Move the alias `champion` to a version if it has earned it.

    Args:
        version: the candidate; None takes the newest.

    Raises:
        WeightsError: there is no such version.
    """
    mlflow, name = client(settings.tracking), settings.tracking.model_name
    with _alone(settings.tracking):
        candidate, champion = find_version(mlflow, name, version), find_champion(mlflow, name)
        decision = decide(candidate, champion, settings.evaluation.promotion)
        if decision.promoted:
            if champion is not None:
                mlflow.set_model_version_tag(name, candidate.version, REPLACED_TAG, champion.version)
            mlflow.set_registered_model_alias(name, CHAMPION, candidate.version)
    return decision


def roll_back(settings: Settings, reason: str) -> str:
    """Give the alias back to the version that had it before; the one that loses it cannot win it again.

    Returns:
        The version that is champion now.

    Raises:
        WeightsError: there is no champion, or none before it.
    """
    mlflow, name = client(settings.tracking), settings.tracking.model_name
    with _alone(settings.tracking):
        find_version(mlflow, name, None)
        champion = find_champion(mlflow, name)
        before = None if champion is None else champion.tags.get(REPLACED_TAG)
        if champion is None or before is None:
            raise WeightsError(f"the model {name} has no champion before the present one to go back to")
        mlflow.set_model_version_tag(name, champion.version, ROLLED_BACK_TAG, reason)
        mlflow.set_registered_model_alias(name, CHAMPION, before)
    return str(before)


def decide(candidate: "ModelVersion", champion: "ModelVersion | None", rule: PromotionSettings) -> Decision:
    """Whether a candidate takes the champion's place.

    It must be measured, by the champion's protocol, win on one metric, and not lose too much on others.
    """
    number = str(candidate.version)
    missing = [name for name in (rule.metric, *rule.may_lose) if f"{METRIC_TAG}{name}" not in candidate.tags]
    if missing:
        return Decision(number, False, f"it has no metric {', '.join(missing)}")
    if ROLLED_BACK_TAG in candidate.tags:
        return Decision(number, False, f"it was champion and gone back from: {candidate.tags[ROLLED_BACK_TAG]}")
    if champion is None:
        return Decision(number, True, f"there was no champion ({rule.metric} {_metric(candidate, rule.metric)})")
    if champion.version == candidate.version:
        return Decision(number, False, "it is the champion already")
    if champion.tags.get(WEIGHTS_TAG) == candidate.tags.get(WEIGHTS_TAG):
        return Decision(number, True, f"it holds the weights of champion {champion.version}, measured anew")
    if champion.tags.get(PROTOCOL_TAG) != candidate.tags.get(PROTOCOL_TAG):
        reason = (
            f"champion {champion.version} was measured on other clips or in another way: evaluate and register "
            f"--checkpoint models:/{champion.name}@{CHAMPION} first"
        )
        return Decision(number, False, reason)
    return _compare(candidate, champion, rule)


def _compare(candidate: "ModelVersion", champion: "ModelVersion", rule: PromotionSettings) -> Decision:
    losses = [
        f"{name} {_metric(candidate, name)} against {_metric(champion, name)}, may lose {allowed}"
        for name, allowed in rule.may_lose.items()
        if _gain(candidate, champion, name) < -allowed
    ]
    found, held = _metric(candidate, rule.metric), _metric(champion, rule.metric)
    comparison = f"{rule.metric} {found} against {held} of champion {champion.version}, margin {rule.margin}"
    wins = _gain(candidate, champion, rule.metric) > rule.margin
    return Decision(str(candidate.version), wins and not losses, "; ".join([comparison, *losses]))


def _metric(version: "ModelVersion", name: str) -> float:
    return float(version.tags[f"{METRIC_TAG}{name}"])


def _gain(candidate: "ModelVersion", champion: "ModelVersion", name: MetricName) -> float:
    """How much better the candidate is."""
    difference = _metric(candidate, name) - _metric(champion, name)
    return difference if HIGHER_IS_BETTER[name] else -difference


@contextmanager
def _alone(tracking: TrackingSettings) -> Iterator[None]:
    """One promotion at a time on this machine: the registry itself cannot compare and set.

    Over several machines the deployment of the flow `promote` sees to it: it runs once at a time.
    """
    key = hashlib.sha256(f"{tracking.uri} {tracking.model_name}".encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"dreamactor-promotion-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
