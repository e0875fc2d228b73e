"""`dreamactor animate-batch`."""

from pathlib import Path
from typing import Annotated

import typer
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings


@with_settings("model.preset", "model.checkpoint", "model.device", "model.precision", "model.compile", "model.offload")
def animate_batch(
    settings: Settings,
    jobs: Annotated[Path, typer.Argument(help="CSV, JSON lines or parquet; see docs/pipeline.md.")],
    report: Annotated[Path, typer.Option("--report", help="Folder of the report.")] = Path("reports/batches"),
) -> None:
    """Make every video of a job table; a bad job stops no other, and what is made already is kept."""
    from dreamactor_core.console import progress
    from dreamactor_core.errors import InputError

    from dreamactor_model.batch.jobs import read_jobs
    from dreamactor_model.batch.report import write_report
    from dreamactor_model.registry import checkpoint_folder, pinned_address

    table = read_jobs(jobs)
    # Once for the whole table: an alias may move while the batch runs.
    address = pinned_address(settings.tracking, settings.model.checkpoint)
    folder = checkpoint_folder(settings.tracking, address)
    from dreamactor_model.animate.animator import Animator
    from dreamactor_model.batch.batch import Batch

    batch = Batch(Animator.from_checkpoint(folder, settings), address, jobs.resolve().parent)
    outcomes = [batch.run(row) for row in progress(table.rows, "jobs", len(table.rows))]
    page = write_report(report / jobs.stem, f"Batch {jobs.name}", outcomes)
    typer.echo(page)
    if outcomes and not any(outcome.there for outcome in outcomes):
        raise InputError(f"none of the {len(outcomes)} jobs could be done", path=jobs, remedy=f"See {page}")
