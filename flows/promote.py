"""promote: the evaluated model becomes a registered version, and champion if it has earned it."""

from dreamactor_core.settings import load_settings
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.tables import markdown_table


@flow(name="promote", persist_result=False)
def promote(version: str | None = None) -> str:
    """Let a version of the registry compete with the champion.

    Args:
        version: the candidate; default: the evaluated checkpoint is registered first.

    Returns:
        The candidate's version, whether or not it won; the artifact says why.
    """
    candidate = register_evaluated() if version is None else version
    compete(candidate)
    return candidate


@task(name="register", cache_policy=NO_CACHE)
def register_evaluated() -> str:
    """The evaluated checkpoint as a version in the registry."""
    from dreamactor_model.registry import register_checkpoint

    return str(register_checkpoint(load_settings()).version)


@task(name="compete", cache_policy=NO_CACHE)
def compete(version: str) -> None:
    """Move the alias if the rule of params.yaml says so."""
    from dreamactor_model.registry import promote_version

    decision = promote_version(load_settings(), version)
    outcome = "promoted" if decision.promoted else "not promoted"
    get_run_logger().info("version %s %s: %s", decision.candidate, outcome, decision.reason)
    rows = [{"candidate": decision.candidate, "outcome": outcome, "reason": decision.reason}]
    create_markdown_artifact(markdown_table(rows), key="promotion")
