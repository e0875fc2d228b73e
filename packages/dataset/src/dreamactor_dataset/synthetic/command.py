"""`dreamactor dataset synthesize`: people who do not exist, with exact truth."""

from pathlib import Path
from typing import Annotated

import typer
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings


@with_settings(
    "dataset.synthetic.people",
    "dataset.synthetic.clips",
    "dataset.synthetic.frames",
    "dataset.synthetic.size",
    "dataset.synthetic.seed",
    "dataset.synthetic.processes",
)
def synthesize(
    settings: Settings,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for videos, true tracks and clips.csv.")],
) -> None:
    """Make videos of people who do not exist, with their exact motion tracks; finished clips are kept on a rerun."""
    from dreamactor_dataset.synthetic.synthesize import synthesize as make

    typer.echo(make(output, settings.dataset.synthetic))
