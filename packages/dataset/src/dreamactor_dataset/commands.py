"""`dreamactor dataset`: training data from footage and from people who do not exist."""

from pathlib import Path
from typing import Annotated

import typer
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings

from dreamactor_dataset.synthetic.command import synthesize, synthesize_faces

app = typer.Typer(no_args_is_help=True, help="Training data: ingest footage, make people who do not exist.")


@app.callback()
def dataset() -> None:
    """Training data: ingest footage, make people who do not exist."""


@app.command()
@with_settings(
    "dataset.ingest.default_licence",
    "dataset.ingest.default_consent",
    "dataset.ingest.min_frames",
    "dataset.ingest.val_share",
    "dataset.ingest.test_share",
)
def ingest(
    settings: Settings,
    folder: Annotated[Path, typer.Argument(help="Folder of videos, with an optional clips.csv.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The data set: manifest.parquet, clips, truth.")],
) -> None:
    """Check and copy a folder of videos into a data set; every clip that is not kept is told with its reason."""
    from dreamactor_dataset.ingest import ingest_folder
    from dreamactor_dataset.ingest.folder import MANIFEST

    ingest_folder(folder, output, settings.dataset.ingest)
    typer.echo(output / MANIFEST)


app.command()(synthesize)
app.command()(synthesize_faces)
