"""Retries by cause: another try only where it may mend something."""

from typing import Any

from dreamactor_core.lineage import TransientLineageError
from prefect.client.schemas import TaskRun
from prefect.states import State
from prefect.tasks import Task


def interrupted(task: Task[..., Any], task_run: TaskRun, state: State) -> bool:  # noqa: ARG001 - Prefect's signature
    """Retry what was interrupted from outside: never bad input, a loss of NaN or a lack of memory."""
    return isinstance(state.data, TransientLineageError)
