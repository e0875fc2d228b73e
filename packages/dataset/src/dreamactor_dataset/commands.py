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
    "dataset.ingest.default_source",
    "dataset.ingest.default_licence",
    "dataset.ingest.default_consent",
    "dataset.ingest.min_frames",
    "dataset.ingest.val_share",
    "dataset.ingest.test_share",
    "dataset.ingest.processes",
)
def ingest(
    settings: Settings,
    videos: Annotated[
        str,
        typer.Argument(help="Folder of videos with an optional clips.csv, a URL (s3://...), or a list (.txt, .csv)."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The data set: manifest.parquet, clips, truth.")],
) -> None:
    """Check, cut and even out videos into a data set; every clip that is not kept is told with its reason."""
    from dreamactor_dataset.ingest import MANIFEST, ingest_videos

    ingest_videos(videos, output, settings.dataset.ingest)
    typer.echo(output / MANIFEST)


@app.command()
@with_settings(
    "dataset.curate.max_people",
    "dataset.curate.min_person_share",
    "dataset.curate.min_face_px",
    "dataset.curate.min_sharpness",
    "dataset.curate.processes",
)
def curate(
    settings: Settings,
    manifest: Annotated[Path, typer.Option(help="Tracked clips: `signals extract` writes it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of manifest.parquet and measures.parquet.")],
) -> None:
    """Keep the clips that are good enough to train on; every other is rejected with its reasons."""
    from dreamactor_dataset.curate import curate_clips
    from dreamactor_dataset.curate.clips import MANIFEST

    curate_clips(manifest, output, settings.dataset.curate, settings.signals)
    typer.echo(output / MANIFEST)


@app.command()
@with_settings()
def report(
    settings: Settings,
    manifest: Annotated[Path, typer.Argument(help="Manifest of a data set, best a curated one.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page.")] = Path("reports/dataset/index.html"),
    pictures: Annotated[int, typer.Option(min=0, help="Clips shown of those kept, and of those that are not.")] = 24,
) -> None:
    """Show a data set on one page of HTML: counts, histograms, pictures of what is kept and what is not."""
    from dreamactor_dataset.report import write_report

    write_report(manifest, output, settings.dataset.curate, pictures=pictures)
    typer.echo(output)


_INDEX = Path("data/shards/clips.arrow")


@app.command()
@with_settings(
    "dataset.shards.clips",
    "dataset.shards.quality",
    "dataset.shards.full_colour",
    "dataset.shards.fineness",
    "dataset.shards.threads",
    "dataset.sampling.area",
)
def pack(
    settings: Settings,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the shards and their index.")],
    manifest: Annotated[Path, typer.Option(help="Clips with their motion tracks.")],
) -> None:
    """Pack the kept clips into shards for training: pictures at the training size, face crops and motion tracks."""
    from dreamactor_dataset.shards.pack import pack_clips

    typer.echo(pack_clips(manifest, output, settings.dataset.shards, area=settings.dataset.sampling.area))


@app.command()
def freeze(
    output: Annotated[Path, typer.Option("--output", "-o", help="The list, to be kept in version control.")],
    manifest: Annotated[Path, typer.Option(help="Clips with their motion tracks.")],
    count: Annotated[int | None, typer.Option(min=1, help="How many clips at most; default: all test clips.")] = None,
) -> None:
    """Freeze the list of test clips that figures are measured on; `evaluation.frozen_list` names it."""
    from dreamactor_dataset.balance.evaluation_list import freeze as freeze_clips

    typer.echo(freeze_clips(manifest, output, count).sha256)


@app.command()
def verify(index: Annotated[Path, typer.Argument(help="clips.arrow, beside the shards.")] = _INDEX) -> None:
    """Compare every shard with its sha256; exit code 2 if one differs or is missing."""
    from dreamactor_dataset.shards.pack import verify_shards

    problems = verify_shards(index)
    for problem in problems:
        typer.echo(problem.line())
    if problems:
        raise typer.Exit(2)
    typer.echo("all shards are whole")


app.command()(synthesize)
app.command()(synthesize_faces)
