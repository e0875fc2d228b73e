"""The one task that runs DVC: what belongs to the lineage is made by its stage, whoever asks for it."""

from typing import Any

from dreamactor_core.lineage import TransientLineageError, reproduce
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import TaskRun
from prefect.states import State
from prefect.tasks import Task


def interrupted(task: Task[..., Any], task_run: TaskRun, state: State) -> bool:  # noqa: ARG001 - Prefect's signature
    """Retry only what another try may mend: never bad input, a loss of NaN or a lack of memory."""
    return isinstance(state.data, TransientLineageError)


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
