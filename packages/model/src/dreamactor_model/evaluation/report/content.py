"""What stands in a report, whatever it is written in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dreamactor_model.evaluation.confidence import Figure
from dreamactor_model.evaluation.outcome import Outcome
from dreamactor_model.evaluation.report.paper import ATTRIBUTION, COLUMNS, TABLES

_NONE = "-"


@dataclass(frozen=True)
class Table:
    """Headings, and rows of as many cells."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = field(default=())


def sections(outcome: Outcome) -> Iterator[Section]:
    """All parts but the pictures."""
    yield _summary(outcome)
    yield _figures(outcome)
    if outcome.suite.paper_table is not None:
        yield _paper(outcome, outcome.suite.paper_table)
    yield from _missing(outcome)
    yield _protocol(outcome)


def _summary(outcome: Outcome) -> Section:
    protocol = outcome.protocol
    clips = f"{len(outcome.scenes)} clips, {protocol['measured_frames']} frames measured."
    return Section("Summary", (f"{outcome.suite.about}. {clips}", ordering_sentence(outcome)))


def ordering_sentence(outcome: Outcome) -> str:
    """Whether the contenders are in the order that one hopes for."""
    ordering = outcome.ordering()
    found = ", ".join(f"{name} {value:.4g}" for name, value in ordering["errors"].items()) or "nobody has a figure"
    verdict = {
        True: "That each beats the one before it holds",
        False: "That each beats the one before it does NOT hold",
        None: f"Whether each beats the one before it cannot be told without {', '.join(ordering['missing'])}",
    }
    return f"Order by {ordering['metric']} (lower is better): {found}. {verdict[ordering['holds']]}."


def _figures(outcome: Outcome) -> Section:
    names = list(outcome.figures)
    contenders = Table(("contender", "what it is"), [(name, about) for name, about in outcome.about.items()])
    rows = [
        (metric, _unit(kind), *(_cell(outcome, name, metric) for name in names))
        for metric, kind in outcome.protocol["metrics"].items()
        if any(metric in figures for figures in outcome.figures.values())
    ]
    return Section("Figures", ("Mean and 95 % interval.",), (contenders, Table(("metric", "unit", *names), rows)))


def _unit(kind: Mapping[str, Any]) -> str:
    unit = "" if kind["unit"] == "1" else f"{kind['unit']} "
    return f"{unit}{'↑' if kind['higher_is_better'] else '↓'}"


def _cell(outcome: Outcome, contender: str, metric: str) -> str:
    figure = outcome.figures[contender].get(metric)
    return _NONE if figure is None else _written(figure)


def _written(figure: Figure) -> str:
    if figure.low == figure.high:
        return f"{figure.value:.4g}"
    return f"{figure.value:.4g} [{figure.low:.4g}, {figure.high:.4g}]"


def _paper(outcome: Outcome, number: int) -> Section:
    table = TABLES[number]
    published = [(f"{name} (paper)", *(f"{value:g}" for value in values)) for name, values in table.rows.items()]
    ours = [(f"{name} (ours)", *(_bare(outcome, name, metric) for metric in COLUMNS)) for name in outcome.figures]
    both = Table(("method", *COLUMNS.values()), [*published, *ours])
    return Section(f"Beside the paper's Table {number}: {table.title}", (ATTRIBUTION,), (both,))


def _bare(outcome: Outcome, contender: str, metric: str) -> str:
    figure = outcome.figures[contender].get(metric)
    return "unavailable" if figure is None else f"{figure.value:.4g}"


def _missing(outcome: Outcome) -> Iterator[Section]:
    parts = (("Not run", "variant", outcome.not_run), ("Figures that cannot be had", "metric", outcome.unavailable))
    for title, what, reasons in parts:
        if reasons:
            yield Section(title, (), (Table((what, "why"), list(reasons.items())),))


def _protocol(outcome: Outcome) -> Section:
    protocol = outcome.protocol
    frozen = protocol["frozen_list_sha256"] or "none: the first held-out clips"
    made = {
        "checkpoint": f"{protocol['checkpoint']} (manifest sha256 {protocol['weights_sha256']})",
        "sampling": ", ".join(f"{name} {value}" for name, value in protocol["sampling"].items()),
        "frozen list sha256": str(frozen),
        "measured": protocol["measured"],
        "interval": protocol["interval"],
    }
    metrics = [(name, kind["protocol"], kind["network_sha256"] or _NONE) for name, kind in protocol["metrics"].items()]
    clips = [(name, " x ".join(map(str, shape))) for name, shape in protocol["clips"].items()]
    tables = (
        Table(("what", "how"), list(made.items())),
        Table(("metric", "protocol", "network sha256"), metrics),
        Table(("clip", " x ".join(protocol["clip_shape"])), clips),
    )
    return Section("Protocol", (), tables)
