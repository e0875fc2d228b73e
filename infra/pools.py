"""What a server needs before deployments: work pools, their queues, and automations: `python -m infra.pools`.

Repeat it whenever the folder moves. The deployments say `pull: []`: a worker fetches no code, the repository (or the
image) already holds it. A process worker would then run each flow in an empty temporary folder, so the pool's template
names the working folder: the repository root of the machine the worker runs on, where dvc.yaml, params.yaml and the
data lie.
"""

import argparse
import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.automations import SILENCE_S, create_automations

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

ROOT_VARIABLE = "WORKSPACE_ROOT"
LOCAL_POOL = "dreamactor-local"
POOLS = {
    LOCAL_POOL: "This machine: every flow, the tiny preset.",
    "dreamactor-h20x8": "One node of eight H20 GPUs: training.",
    "dreamactor-mmpose": "A machine with the mmpose tracker: signals.",
}
TRAINING_QUEUE = "training"


def job_template(root: Path) -> dict[str, Any]:
    """The process worker's template with `root` as the folder that flows run in."""
    from prefect.workers.process import ProcessWorker

    template = copy.deepcopy(ProcessWorker.get_default_base_job_template())
    template["variables"]["properties"]["working_dir"]["default"] = str(root)
    return template


def create_pools(root: Path) -> None:
    """Create the pools on the server that $PREFECT_API_URL or the profile names, or update their templates."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    with get_client(sync_client=True) as client:
        for name, description in POOLS.items():
            pool = WorkPoolCreate(
                name=name, type="process", description=description, base_job_template=job_template(root)
            )
            client.create_work_pool(pool, overwrite=True)
            _create_training_queue(client, name)


def _create_training_queue(client: "SyncPrefectClient", pool: str) -> None:
    """One trainer a node: whatever trains waits in a queue that lets one run through at a time."""
    from prefect.exceptions import ObjectAlreadyExists

    try:
        client.create_work_queue(
            TRAINING_QUEUE, description="One trainer at a time.", concurrency_limit=1, work_pool_name=pool
        )
    except ObjectAlreadyExists:
        queue = client.read_work_queue_by_name(TRAINING_QUEUE, work_pool_name=pool)
        client.update_work_queue(queue.id, concurrency_limit=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m infra.pools", description=__doc__.splitlines()[0])
    parser.add_argument("--silence-s", type=float, default=SILENCE_S, help="without a heartbeat a run has crashed")
    options = parser.parse_args(arguments)
    workspace = Path(os.environ.get(ROOT_VARIABLE, Path.cwd())).resolve()
    create_pools(workspace)
    create_automations(options.silence_s)
    print(f"work pools {', '.join(POOLS)} run in {workspace}")


if __name__ == "__main__":
    main()
