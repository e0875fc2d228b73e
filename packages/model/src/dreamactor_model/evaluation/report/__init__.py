"""A suite's report: for programs, and for people.

`content` says what stands in it, `web` and `text` write it as HTML and Markdown, `pictures` shows the contenders side
by side, `paper` holds the figures that the paper published.
"""

from dreamactor_model.evaluation.report.write import CLIPS_FILE, METRICS_FILE, PROTOCOL_FILE, TEXT_FILE, write_report

__all__ = ["CLIPS_FILE", "METRICS_FILE", "PROTOCOL_FILE", "TEXT_FILE", "write_report"]
