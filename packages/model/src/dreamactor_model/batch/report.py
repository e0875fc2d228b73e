"""What became of a batch: a table for programs, and a page with pictures for people."""

import base64
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np
from dreamactor_core.files import write_text
from dreamactor_core.image import read_image, resize_image
from dreamactor_core.page import write_page

from dreamactor_model.animate.request import AnimateResult
from dreamactor_model.batch.batch import Outcome

TABLE, PAGE = "outcomes.csv", "report.html"
_THUMBNAIL_PX = 280
_STYLE = """
table { width: 100%; } td, th { border-bottom: 1px solid #ddd; padding: .5rem; text-align: left; vertical-align: top; }
.done, .kept { color: #17692f; } .failed, .refused { color: #a11; }
img { border-radius: 4px; display: block; }
"""


def write_report(folder: Path, title: str, outcomes: Sequence[Outcome]) -> Path:
    """Write outcomes.csv and report.html (which needs nothing beside it); returns the page."""
    write_text(folder / TABLE, _table(outcomes))
    write_page(folder / PAGE, title, _parts(outcomes), style=_STYLE)
    return folder / PAGE


def _table(outcomes: Sequence[Outcome]) -> str:
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, fieldnames=list(Outcome.model_fields), lineterminator="\n")
    table.writeheader()
    table.writerows(outcome.model_dump() for outcome in outcomes)
    return buffer.getvalue()


def _parts(outcomes: Sequence[Outcome]) -> Iterator[str]:
    counts = Counter(outcome.status for outcome in outcomes)
    summary = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no jobs"
    models = ", ".join(sorted({outcome.model for outcome in outcomes}))
    yield f"<p>{escape(summary)}. Model: {escape(models)}. Every video is AI-generated.</p>"
    yield "<table><tr><th>row</th><th>video</th><th>status</th><th>seconds</th><th></th></tr>"
    yield from map(_row, outcomes)
    yield "</table>"


def _row(outcome: Outcome) -> str:
    cells = (
        str(outcome.row),
        escape(Path(outcome.output).name),
        f'<span class="{outcome.status}">{outcome.status}</span><br>{escape(outcome.reason)}',
        f"{outcome.seconds:.1f}",
        _thumbnail(outcome) if outcome.there else "",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _thumbnail(outcome: Outcome) -> str:
    """The contact sheet, small and inside the page."""
    import cv2

    sheet = read_image(AnimateResult.beside(Path(outcome.output)).contact_sheet)
    height, width = sheet.shape[:2]
    small = resize_image(sheet, (_THUMBNAIL_PX, max(1, round(height * _THUMBNAIL_PX / width))))
    encoded = cv2.imencode(".jpg", np.ascontiguousarray(small[:, :, ::-1]))[1].tobytes()
    return f'<img alt="contact sheet" src="data:image/jpeg;base64,{base64.b64encode(encoded).decode()}">'
