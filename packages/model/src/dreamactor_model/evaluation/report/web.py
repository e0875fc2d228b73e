"""The report as a web page; videos lie beside it."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from dreamactor_core.page import html_table, write_page

from dreamactor_model.evaluation.report.content import Section

_STYLE = """
td { text-align: left; vertical-align: top; max-width: 46rem; } th { text-align: left; }
video, img { max-width: 100%; display: block; } figure { margin: 0 0 1.5rem; }
"""


def write_web_page(path: Path, title: str, parts: Sequence[Section], clips: Sequence[str], folder: str) -> None:
    """Write the page.

    Args:
        clips: that are shown.
        folder: of their videos and contact sheets, beside the page.
    """
    summary, *others = parts
    write_page(path, title, [*_section(summary), *_gallery(clips, folder), *_all(others)], style=_STYLE)


def _all(parts: Sequence[Section]) -> Iterator[str]:
    for part in parts:
        yield from _section(part)


def _section(part: Section) -> Iterator[str]:
    yield f"<h2>{escape(part.title)}</h2>"
    yield from (f"<p>{escape(paragraph)}</p>" for paragraph in part.paragraphs)
    yield from (html_table(table.headings, table.rows) for table in part.tables)


def _gallery(clips: Sequence[str], folder: str) -> Iterator[str]:
    yield "<h2>Side by side</h2><p>All but reference, truth and driving are AI-generated or made by a program.</p>"
    for clip in clips:
        base = f"{folder}/{quote(clip)}"
        video = f'<video src="{base}.mp4" poster="{base}.png" controls loop muted playsinline></video>'
        link = f'<a href="{base}.png">contact sheet</a>'
        yield f"<figure>{video}<figcaption><b>{escape(clip)}</b> {link}</figcaption></figure>"
