"""Markdown tables for Prefect artifacts."""

from collections.abc import Mapping, Sequence

from dreamactor_core import markdown


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows with equal keys as a table; a sentence when there are none."""
    if not rows:
        return "Nothing to show."
    columns = list(rows[0])
    return markdown.markdown_table(columns, [[row[column] for column in columns] for row in rows])
