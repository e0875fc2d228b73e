"""The one task that runs DVC: what belongs to the lineage is made by its stage, whoever asks for it."""

from dreamactor_core.lineage import reproduce
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows.retries import interrupted


@task(
    task_run_name="dvc repro {stage}",
    cache_policy=NO_CACHE,  # DVC knows what is up to date; two memories would disagree
    retries=2,
    retry_delay_seconds=[30, 120],
    retry_condition_fn=interrupted,
)
def reproduce_stage(stage: str) -> list[str]:
    """Bring one DVC stage and what it depends on up to date. Returns the stages that really ran."""
    return reproduce([stage], report=get_run_logger().info)
