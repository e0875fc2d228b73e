"""The held-out clips of the release and its settings: every part measures the same weights on the same people."""

import json
import os
from pathlib import Path
from typing import Any

from dreamactor_core.errors import InputError
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.model import RELEASED
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_model.animate.loaded import LoadedModel, as_trained
from dreamactor_model.evaluation.evaluate import evaluate_checkpoint
from dreamactor_model.evaluation.report import CLIPS_FILE
from dreamactor_model.registry import checkpoint_folder

_FOLDER = Path(__file__).parents[2] / "release"
MANIFEST = Path("data/signals/manifest.parquet")
EVERY_CLIP = 1000
"""More than are held out."""


def enter(**overrides: Any) -> Settings:
    """Go to the folder of the release, whose params.yaml then counts; returns its settings with the overrides.

    Raises:
        InputError: its clips are not there.
    """
    os.chdir(_FOLDER)
    if not MANIFEST.exists():
        raise InputError("the held-out clips are not there", path=MANIFEST, remedy="cd release && dvc repro signals")
    named = {key.replace("__", "."): value for key, value in overrides.items()}
    return load_settings({"evaluation.checkpoint": RELEASED, "model.checkpoint": RELEASED, **named})


def load_model(settings: Settings) -> tuple[LoadedModel, SamplingSettings]:
    """The model that the settings name, and how it is sampled."""
    model = LoadedModel.load(checkpoint_folder(settings.tracking, settings.model.checkpoint), settings)
    return model, as_trained(settings.sampling, model.about)


def values_by_clip(suite: str) -> dict[str, dict[str, dict[str, float]]]:
    """Of a suite that has run: by contender and metric, the value of each clip that has one."""
    values: dict[str, dict[str, dict[str, float]]]
    values = json.loads(Path(load_settings().evaluation.reports_dir, suite, CLIPS_FILE).read_text())
    return values


def run_suite(suite: str, **overrides: Any) -> dict[str, dict[str, dict[str, float]]]:
    """Figures by contender and metric, each with its interval and number of clips; the report lies in release/."""
    settings = enter(evaluation__suite=suite, **overrides)
    variants: dict[str, dict[str, dict[str, float]]]
    variants = json.loads(evaluate_checkpoint(settings, MANIFEST).read_text())["variants"]
    return variants
