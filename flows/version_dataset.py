"""version-dataset: from raw videos to a data set with a version."""

from dreamactor_core.lineage import CLIPS, output_hashes
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

from flows.reproduction import reproduce_stage


@flow(name="version-dataset", persist_result=False)
def version_dataset() -> str:
    """Make the raw clips and the manifest (DVC stages synthesize and ingest). Returns the data version: DVC's hash."""
    ran = reproduce_stage("ingest")
    version = output_hashes()[CLIPS]
    get_run_logger().info("data version %s (%s)", version, f"ran {', '.join(ran)}" if ran else "up to date")
    create_markdown_artifact(f"`{CLIPS}` is at version `{version}`.", key="data-version")
    return version
