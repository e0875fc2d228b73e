"""`dreamactor dataset synthesize`, `synthesize-faces`: people who do not exist, with exact truth."""

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


@with_settings(
    "dataset.faces.people",
    "dataset.faces.images",
    "dataset.faces.size",
    "dataset.faces.seed",
    "dataset.faces.processes",
)
def synthesize_faces(
    settings: Settings,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for a file a person and faces.json.")],
) -> None:
    """Make close-ups of faces for the face motion encoder; finished people are kept on a rerun."""
    from dreamactor_dataset.synthetic.faces.synthesize import synthesize_faces as make

    typer.echo(make(output, settings.dataset.faces))
