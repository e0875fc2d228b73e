"""The one schema: params.yaml, overridden by the environment, overridden by the command line (design 6)."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dreamactor_core.errors import SettingsError
from dreamactor_core.settings.dataset import DatasetSettings
from dreamactor_core.settings.evaluation import EvaluationSettings
from dreamactor_core.settings.model import ModelSettings
from dreamactor_core.settings.operations import OperationsSettings
from dreamactor_core.settings.provenance import ProvenanceSettings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.settings.training import TrainingSettings

ENVIRONMENT_PREFIX = "DREAMACTOR_"
PARAMS_VARIABLE = "DREAMACTOR_PARAMS"
DEFAULT_PARAMS = Path("params.yaml")


class Settings(BaseSettings):
    """Every parameter of an experiment, an inference or a deployment."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    signals: SignalsSettings = SignalsSettings()
    dataset: DatasetSettings = DatasetSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    sampling: SamplingSettings = SamplingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    tracking: TrackingSettings = TrackingSettings()
    provenance: ProvenanceSettings = ProvenanceSettings()
    operations: OperationsSettings = OperationsSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line first, then the environment, then the file."""
        return init_settings, env_settings, _ParamsSource(settings_cls)


class _ParamsSource(PydanticBaseSettingsSource):
    """params.yaml as a settings source."""

    def get_field_value(self, field: object, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Unused: the file is taken whole by `__call__`."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        return read_params(params_path())


def params_path() -> Path | None:
    """The settings file: $DREAMACTOR_PARAMS, else ./params.yaml if there is one, else none (built-in defaults)."""
    named = os.environ.get(PARAMS_VARIABLE)
    if named:
        return Path(named)
    return DEFAULT_PARAMS if DEFAULT_PARAMS.exists() else None


def read_params(path: Path | None) -> dict[str, Any]:
    """The file's content as nested dicts, checked for unknown keys.

    Raises:
        SettingsError: missing, not YAML, not a mapping, or a key that is not in the schema.
    """
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError as problem:
        raise SettingsError(
            "no such settings file", path=path, remedy=f"Unset {PARAMS_VARIABLE} or correct it"
        ) from problem
    except yaml.YAMLError as problem:
        raise SettingsError(f"not valid YAML ({problem})", path=path) from problem
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError("must hold a mapping of sections", path=path)
    _refuse_unknown_keys(content, Settings, str(path), ())
    return content


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read and validate all settings.

    Args:
        overrides: dotted keys from the command line, e.g. {"sampling.steps": 4}.

    Raises:
        SettingsError: an unknown key or a value outside its range, named with its place.
    """
    _refuse_unknown_environment()
    nested = _nest(overrides or {})
    _refuse_unknown_keys(nested, Settings, "command line", ())
    try:
        return Settings(**nested)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"{key} = {first.get('input')!r}: {first['msg']}", path=params_path(), remedy=f"Correct {key}"
        ) from problem


def _nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in dotted.items():
        *parents, last = key.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return nested


def _refuse_unknown_keys(
    content: Mapping[str, Any], model: type[BaseModel], origin: str, place: tuple[str, ...]
) -> None:
    for key, value in content.items():
        if key not in model.model_fields:
            close = difflib.get_close_matches(str(key), model.model_fields, n=1)
            hint = f"Did you mean {'.'.join((*place, close[0]))}?" if close else _known(model, place)
            raise SettingsError(f"unknown key {'.'.join((*place, str(key)))}", path=origin, remedy=hint)
        inner = _inner_model(model.model_fields[key].annotation)
        if inner is not None and isinstance(value, Mapping):
            _refuse_unknown_keys(value, inner, origin, (*place, str(key)))


def _known(model: type[BaseModel], place: tuple[str, ...]) -> str:
    where = ".".join(place) or "the top level"
    return f"Known at {where}: {', '.join(model.model_fields)}"


def _inner_model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _refuse_unknown_environment() -> None:
    """pydantic ignores variables it does not know; a misspelt one would be a silent no."""
    for name in os.environ:
        if not name.startswith(ENVIRONMENT_PREFIX) or name == PARAMS_VARIABLE:
            continue
        keys = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        content: dict[str, Any] = {}
        place = content
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = None
        _refuse_unknown_keys(content, Settings, f"environment variable {name}", ())
