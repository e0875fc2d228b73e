"""evaluate: measure the trained model on held-out clips."""

import json
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.reproduction import reproduce_stage
from flows.tables import markdown_table

METRICS = Path("reports/evaluation/metrics.json")


@flow(name="evaluate", persist_result=False)
def evaluate() -> dict[str, object]:
    """Run the DVC stage evaluate and show its metrics. Returns them."""
    reproduce_stage("evaluate")
    metrics: dict[str, object] = json.loads(METRICS.read_text())
    rows = [{"metric": name, "value": value} for name, value in metrics.items()]
    create_markdown_artifact(markdown_table(rows), key="evaluation", description=f"From {METRICS}")
    return metrics
