"""evaluate: measure the trained model on a suite of held-out clips."""

import json
from pathlib import Path
from typing import Any

from dreamactor_core.settings import load_settings
from prefect import flow
from prefect.artifacts import create_link_artifact, create_markdown_artifact

from flows.reproduction import reproduce_stage

STAGES = {"held-out": "evaluate"}
"""The DVC stage of the suite that `dvc repro` runs; the others are asked for by name."""


@flow(name="evaluate", persist_result=False)
def evaluate(suite: str | None = None) -> dict[str, Any]:
    """Run a suite by its DVC stage, and show its report.

    Args:
        suite: as `dreamactor model evaluate --suite` takes it; default: the one that decides on promotion.

    Returns:
        What metrics.json holds.
    """
    settings = load_settings()
    name = settings.evaluation.suite if suite is None else suite
    reproduce_stage(STAGES.get(name, f"suites/dvc.yaml:evaluate@{name}"))
    report = Path(settings.evaluation.reports_dir) / name
    text = (report / "report.md").read_text()
    create_markdown_artifact(text, key=f"evaluation-{name}", description=f"Suite {name}: {report}")
    page = (report / "report.html").resolve().as_uri()
    create_link_artifact(page, link_text=f"Report of {name}, with videos", key=f"evaluation-{name}-report")
    metrics: dict[str, Any] = json.loads((report / "metrics.json").read_text())
    return metrics
