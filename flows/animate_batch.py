"""animate-batch: a table of jobs, one champion, as many videos as can be made."""

import time
from collections.abc import Callable
from pathlib import Path

from dreamactor_core.settings import load_settings
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.jobs import Job, Outcome, read_jobs, write_report
from flows.tables import markdown_table

DONE, FAILED = "done", "failed"
REPORTS = Path("reports/batches")
Render = Callable[[Job], None]


@flow(name="animate-batch", persist_result=False)
def animate_batch(jobs: str, report: str | None = None, checkpoint: str | None = None) -> str:
    """Render every job of a table. A job that fails never stops the others; the report says what became of each.

    Args:
        jobs: CSV with the columns reference, driving, output and, if wanted, seed, steps, max_frames.
        report: where the report goes; default: reports/batches under the table's name.
        checkpoint: default: the registry's champion.

    Returns:
        The path of the report.

    Raises:
        InputError: the table itself is wrong (nothing is rendered then).
        RuntimeError: not one job of the table could be done.
    """
    table = Path(jobs)
    planned = read_jobs(table)
    report_path = Path(report) if report else REPORTS / table.name
    outcomes = _render_all(planned, checkpoint) if planned else []
    write_report(report_path, outcomes)
    rows = [outcome.model_dump() for outcome in outcomes]
    create_markdown_artifact(markdown_table(rows), key="batch", description=f"Batch {table.name}")
    done = sum(outcome.status == DONE for outcome in outcomes)
    get_run_logger().info("%d of %d jobs done; report: %s", done, len(planned), report_path)
    if planned and not done:
        raise RuntimeError(f"none of the {len(planned)} jobs could be done: see {report_path}")
    return str(report_path)


def _render_all(jobs: list[Job], checkpoint: str | None) -> list[Outcome]:
    from dreamactor_model.animate.animator import Animator
    from dreamactor_model.animate.request import AnimateRequest
    from dreamactor_model.registry import checkpoint_folder, resolve_champion

    settings = load_settings()
    address = resolve_champion(settings.tracking) if checkpoint is None else checkpoint
    animator = Animator.from_checkpoint(checkpoint_folder(settings.tracking, address), settings)

    def render(job: Job) -> None:
        animator.animate(
            AnimateRequest(
                references=job.references,
                driving=job.driving,
                output=job.output,
                seed=job.seed,
                steps=job.steps,
                max_frames=job.max_frames,
            )
        )

    return [_outcome(job, render, address) for job in jobs]


def _outcome(job: Job, render: Render, model: str) -> Outcome:
    start = time.monotonic()
    state = render_job.with_options(task_run_name=f"render {job.output.name}")(job, render, return_state=True)
    return Outcome(
        output=str(job.output),
        status=DONE if state.is_completed() else FAILED,
        reason="" if state.is_completed() else str(state.data),
        seconds=round(time.monotonic() - start, 1),
        model=model,
    )


@task(name="render", cache_policy=NO_CACHE)
def render_job(job: Job, render: Render) -> None:
    """One job. `render` holds the model, which is loaded once for the whole table."""
    render(job)
