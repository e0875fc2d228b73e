"""Write a suite's report: the folder appears whole, and equal outcomes give equal bytes."""

from pathlib import Path

from dreamactor_core.files import atomic_directory, write_json, write_text

from dreamactor_model.evaluation.outcome import Outcome
from dreamactor_model.evaluation.report.content import sections
from dreamactor_model.evaluation.report.pictures import write_pictures
from dreamactor_model.evaluation.report.text import as_markdown
from dreamactor_model.evaluation.report.web import write_web_page

METRICS_FILE, CLIPS_FILE, PROTOCOL_FILE = "metrics.json", "clips.json", "protocol.json"
PAGE_FILE, TEXT_FILE = "report.html", "report.md"
_PICTURES = "clips"


def write_report(folder: Path, outcome: Outcome) -> None:
    """Write the report, and a video and a contact sheet of each clip.

    metrics.json holds the figures, clips.json each clip's own values, protocol.json how they were made; report.html and
    report.md are for people.
    """
    title = f"Evaluation: {outcome.suite.name}"
    parts = list(sections(outcome))
    with atomic_directory(folder) as temporary:
        write_json(temporary / METRICS_FILE, outcome.metrics())
        write_json(temporary / CLIPS_FILE, outcome.by_clip())
        write_json(temporary / PROTOCOL_FILE, outcome.protocol)
        clips = write_pictures(temporary / _PICTURES, outcome)
        write_text(temporary / TEXT_FILE, as_markdown(title, parts))
        write_web_page(temporary / PAGE_FILE, title, parts, clips, _PICTURES)
