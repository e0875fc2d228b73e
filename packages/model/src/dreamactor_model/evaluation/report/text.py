"""The report as Markdown."""

from collections.abc import Sequence

from dreamactor_core.markdown import markdown_table

from dreamactor_model.evaluation.report.content import Section


def as_markdown(title: str, parts: Sequence[Section]) -> str:
    """The whole report without its pictures."""
    blocks = [f"# {title}"]
    for part in parts:
        blocks += [f"## {part.title}", *part.paragraphs]
        blocks += [markdown_table(table.headings, table.rows) for table in part.tables]
    return "\n\n".join(blocks) + "\n"
