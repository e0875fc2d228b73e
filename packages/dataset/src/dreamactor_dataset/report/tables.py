"""Counts as tables of HTML."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from dreamactor_core.manifest import ClipRow
from dreamactor_core.page import html_table

# Of a long table the rest is one line.
_MOST_ROWS = 20


def by_status(rows: Sequence[ClipRow]) -> str:
    """Clips and hours, kept or not."""
    return _counted("status", rows, lambda row: row.status)


def by_reason(rows: Sequence[ClipRow]) -> str:
    """How often each kind of reason stands among the clips that are not kept; a clip may have several."""
    reasons = Counter(
        (row.status, part.partition(":")[0].strip())
        for row in rows
        if row.status != "kept"
        for part in _first_words(row.reason or "not said").split("; ")
    )
    lines = [(reason, status, count) for (status, reason), count in reasons.most_common(_MOST_ROWS)]
    return html_table(("reason", "status", "clips"), lines)


def _first_words(reason: str) -> str:
    """The reason without the clip that it names."""
    for kind in ("exact duplicate of", "looks the same as"):
        if reason.startswith(kind):
            return f"{kind} another clip"
    return reason


def by_property(name: str, rows: Sequence[ClipRow]) -> str:
    """Clips, hours, people and splits of the kept clips, by one of their properties."""
    return _counted(name, rows, lambda row: str(getattr(row, name) or "not known"), detailed=True)


def _counted(name: str, rows: Sequence[ClipRow], key: Callable[[ClipRow], str], *, detailed: bool = False) -> str:
    groups: dict[str, list[ClipRow]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    if len(ordered) > _MOST_ROWS:
        rest = [row for _, members in ordered[_MOST_ROWS - 1 :] for row in members]
        ordered = [*ordered[: _MOST_ROWS - 1], (f"{len(ordered) - _MOST_ROWS + 1} others", rest)]
    headings = (name, "clips", "hours", *(("people", "train", "val", "test") if detailed else ()))
    return html_table(headings, [(value, *_numbers(members, detailed=detailed)) for value, members in ordered])


def _numbers(rows: Sequence[ClipRow], *, detailed: bool) -> list[object]:
    numbers: list[object] = [len(rows), hours(rows)]
    if detailed:
        splits = Counter(row.split for row in rows)
        numbers += [len({row.identity for row in rows}), *(splits[split] for split in ("train", "val", "test"))]
    return numbers


def hours(rows: Iterable[ClipRow]) -> str:
    """Their length together."""
    return f"{sum(row.duration_s for row in rows) / 3600:.3g}"
