"""animate-batch: a table of jobs, one champion, as many videos as can be made."""

from pathlib import Path

from dreamactor_core.settings import load_settings
from dreamactor_model.batch.batch import Batch, Outcome
from dreamactor_model.batch.jobs import Row, read_jobs
from dreamactor_model.batch.report import write_report
from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows.tables import markdown_table

REPORTS = Path("reports/batches")


@flow(name="animate-batch", persist_result=False)
def animate_batch(jobs: str, report: str | None = None, checkpoint: str | None = None) -> str:
    """Render every job of a table. A job that fails never stops the others; the report says what became of each.

    Args:
        jobs: CSV, JSON lines or parquet: see `dreamactor_model.batch.jobs`.
        report: folder of the report; default: reports/batches under the table's name.
        checkpoint: default: the registry's champion.

    Returns:
        The path of the report.

    Raises:
        InputError: the table itself is wrong (nothing is rendered then).
        RuntimeError: not one job of the table could be done.
    """
    table = read_jobs(Path(jobs))
    batch = _load(checkpoint, table.path.resolve().parent) if table.rows else None
    outcomes = [_run(batch, row) for row in table.rows if batch is not None]
    page = write_report(Path(report) if report else REPORTS / table.path.stem, f"Batch {table.path.name}", outcomes)
    _show(outcomes, table.path.name, page)
    made = sum(outcome.there for outcome in outcomes)
    get_run_logger().info("%d of %d jobs done; report: %s", made, len(outcomes), page)
    if outcomes and not made:
        raise RuntimeError(f"none of the {len(outcomes)} jobs could be done: see {page}")
    return str(page)


def _show(outcomes: list[Outcome], name: str, page: Path) -> None:
    """The report and every video as links, beside what became of each row."""
    rows = [outcome.model_dump() | {"output": _video_link(outcome)} for outcome in outcomes]
    create_markdown_artifact(markdown_table(rows), key="batch", description=f"Batch {name}")
    create_link_artifact(page.resolve().as_uri(), link_text=f"Report of {name}", key="batch-report")


def _video_link(outcome: Outcome) -> str:
    video = Path(outcome.output)
    return f"[{video.name}]({video.resolve().as_uri()})" if outcome.there else outcome.output


def _load(checkpoint: str | None, folder: Path) -> Batch:
    """The model, once for the whole table: an alias is resolved here and never again."""
    from dreamactor_model.animate.animator import Animator
    from dreamactor_model.registry import checkpoint_folder, resolve_champion

    settings = load_settings()
    address = resolve_champion(settings.tracking) if checkpoint is None else checkpoint
    return Batch(Animator.from_checkpoint(checkpoint_folder(settings.tracking, address), settings), address, folder)


def _run(batch: Batch, row: Row) -> Outcome:
    state = render.with_options(task_run_name=f"render row {row.number}")(batch, row, return_state=True)
    outcome: Outcome = state.result(raise_on_failure=False)
    return outcome


@task(name="render", cache_policy=NO_CACHE)
def render(batch: Batch, row: Row) -> State:
    """One job; its task fails where the job does."""
    outcome = batch.run(row)
    kind = Completed if outcome.there else Failed
    return kind(message=f"{outcome.status} {outcome.reason}".strip(), data=outcome)
