"""Where mapped tasks run: on threads here, or on a cluster that the settings name."""

from typing import Any

from dreamactor_core.errors import SettingsError
from dreamactor_core.settings.operations import OperationsSettings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner


def task_runner(operations: OperationsSettings) -> TaskRunner[Any]:
    """Threads, or the Dask or Ray cluster of `operations.cluster`, whose workers must see the same files.

    Raises:
        SettingsError: a cluster is named whose library is not installed.
    """
    address = operations.cluster
    if address is None:
        return ThreadPoolTaskRunner(max_workers=operations.workers)
    library = "ray" if address.startswith("ray://") else "dask"
    try:
        return _on_ray(address) if library == "ray" else _on_dask(address)
    except ImportError as problem:
        raise SettingsError(
            f"operations.cluster = {address!r}, but prefect-{library} is not installed ({problem})",
            remedy=f"Install it: uv pip install -e '.[{library}]'",
        ) from problem


def _on_dask(address: str) -> TaskRunner[Any]:
    from prefect_dask import DaskTaskRunner

    return DaskTaskRunner(address=address)


def _on_ray(address: str) -> TaskRunner[Any]:
    from prefect_ray import RayTaskRunner

    return RayTaskRunner(address=address)
