"""Reports as HTML: one file, tables, no scripts."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from dreamactor_core.files import write_text

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; color: #1c1c28; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; margin: .5rem 2rem 1rem 0; }
th, td { padding: .15rem .8rem .15rem 0; text-align: right; }
th { border-bottom: 1px solid #999; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.row, .grid { display: flex; flex-wrap: wrap; gap: .8rem; align-items: flex-start; }
figure { margin: 0; } figcaption { font-size: .75rem; overflow-wrap: anywhere; }
"""


def write_page(path: Path | str, title: str, parts: Iterable[str], *, style: str = "") -> None:
    """Write an HTML page atomically; equal parts give equal bytes.

    Args:
        title: of the window, and the page's heading.
        parts: HTML, one after the other.
        style: CSS beyond what all reports share.
    """
    name = escape(title)
    head = f'<meta charset="utf-8"><title>{name}</title><style>{_STYLE}{style}</style>'
    body = f"<h1>{name}</h1>\n" + "\n".join(parts)
    write_text(path, f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n')


def html_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of HTML; the first column is text, the others are numbers. Cells are escaped."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
