"""version-dataset: from raw videos to a data set with a version, pushed, tagged and compared with the one before."""

import tempfile
from pathlib import Path

from dreamactor_core.data_versions import fetch_output, is_current, latest_version, push_data, tag_version
from dreamactor_core.files import write_json
from dreamactor_core.lineage import CURATED, DATASET, SHARDS, output_hashes
from dreamactor_dataset.versions import Difference, compare_manifests
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.reproduction import reproduce_stage
from flows.retries import interrupted
from flows.tables import markdown_table

REPORTS = Path("reports/dataset/versions")


@flow(name="version-dataset", persist_result=False)
def version_dataset(remote: str | None = None, push: bool = True) -> str:
    """Make the data set (DVC stage shards and all before it), push it, tag it and tell what is new in it.

    Args:
        remote: a remote that DVC knows, or a folder or URL such as s3://bucket/folder; DVC's default if not given.
        push: false keeps everything on this machine.

    Returns:
        The version's tag, data-1, data-2 ...; the one before where nothing has changed. Its report lies under
        reports/dataset/versions.
    """
    ran = reproduce_stage("shards")
    get_run_logger().info("%s", f"ran {', '.join(ran)}" if ran else "the data set is up to date")
    if push:
        push_version(remote)
    before = latest_version()
    if before is not None and is_current(before):
        get_run_logger().info("nothing has changed since %s", before)
        return before
    difference = compare_with(before, remote)
    version = tag_version(difference.sentence())
    _report(version, before, difference)
    return version


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[10, 60], retry_condition_fn=interrupted)
def push_version(remote: str | None) -> None:
    """Copy shards and manifests to the remote."""
    push_data(DATASET, remote)


@task(cache_policy=NO_CACHE)
def compare_with(before: str | None, remote: str | None) -> Difference:
    """What is new since a version."""
    if before is None:
        return compare_manifests(None, Path(CURATED))
    with tempfile.TemporaryDirectory() as folder:
        older = Path(folder) / "manifest.parquet"
        fetch_output(CURATED, before, older, remote)
        return compare_manifests(older, Path(CURATED))


def _report(version: str, before: str | None, difference: Difference) -> None:
    get_run_logger().info("%s: %s", version, difference.sentence())
    hashes = output_hashes()
    write_json(
        REPORTS / f"{version}.json",
        {"version": version, "before": before, "outputs": {path: hashes[path] for path in DATASET}}
        | difference.to_json(),
    )
    text = f"**{version}** (`{SHARDS}` at `{hashes[SHARDS]}`), compared with {before or 'nothing'}\n\n"
    text += f"{difference.sentence()}\n\n{markdown_table(difference.rows())}"
    create_markdown_artifact(text, key="data-version", description=f"Version {version} of the data set")
