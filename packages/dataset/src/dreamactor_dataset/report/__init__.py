"""A data set on one page: counts, histograms and pictures, in a single file of HTML.

Read in this order: `page` (the whole), `tables`, `histograms`, `thumbnails`.
"""

from dreamactor_dataset.report.page import write_report

__all__ = ["write_report"]
