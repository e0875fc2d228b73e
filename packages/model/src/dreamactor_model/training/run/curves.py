"""The report of a finished stage: loss curve as CSV and picture, last metrics as JSON (DVC plots and metrics)."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from dreamactor_core.files import atomic_directory, write_json

from dreamactor_model.training.run.journal import read_journal

_SMOOTHED_OVER = 0.05


def write_report(folder: Path, journal: Path, metrics: Mapping[str, float], *, title: str) -> None:
    """Write loss.csv, loss.png and metrics.json into a folder that appears whole."""
    entries = read_journal(journal)
    with atomic_directory(folder) as temporary:
        _write_csv(temporary / "loss.csv", entries)
        _draw(temporary / "loss.png", entries, title)
        write_json(temporary / "metrics.json", metrics)


def _write_csv(path: Path, entries: Sequence[Mapping[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(name for entry in entries for name in entry)))
        writer.writeheader()
        writer.writerows(entries)


def _draw(path: Path, entries: Sequence[Mapping[str, float]], title: str) -> None:
    from matplotlib.figure import Figure

    steps = [entry["step"] for entry in entries]
    losses = [entry["loss"] for entry in entries]
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, color="0.75", linewidth=0.8, label="loss")
    axes.plot(steps, smooth(losses), color="C0", label="smoothed")
    axes.set(title=title, xlabel="step", ylabel="loss", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=120)


def smooth(values: Sequence[float]) -> list[float]:
    """An exponential average over a twentieth of the values, without a lag at the start."""
    rate = 1 / max(1.0, _SMOOTHED_OVER * len(values))
    averages: list[float] = []
    for index, value in enumerate(values):
        share = max(rate, 1 / (index + 1))
        averages.append(value if not averages else averages[-1] + share * (value - averages[-1]))
    return averages
