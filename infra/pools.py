"""The work pools that prefect.yaml names, made by code: `python -m infra.pools` (repeat it whenever the folder moves).

The deployments say `pull: []`: a worker fetches no code, the repository (or the image) already holds it. A process
worker would then run each flow in an empty temporary folder, so the pool's template names the working folder: the
repository root of the machine the worker runs on, where dvc.yaml, params.yaml and the data lie.
"""

import copy
import os
from pathlib import Path
from typing import Any

ROOT_VARIABLE = "WORKSPACE_ROOT"
LOCAL_POOL = "dreamactor-local"
POOLS = {
    LOCAL_POOL: "This machine: every flow, the tiny preset.",
    "dreamactor-h20x8": "One node of eight H20 GPUs: training.",
}


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


if __name__ == "__main__":
    workspace = Path(os.environ.get(ROOT_VARIABLE, Path.cwd())).resolve()
    create_pools(workspace)
    print(f"work pools {', '.join(POOLS)} run in {workspace}")
