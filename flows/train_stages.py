"""train-stages: the progressive stages of the paper (4.1), then evaluation and promotion of what they made."""

from dreamactor_core.lineage import data_versions
from dreamactor_core.settings import load_settings
from dreamactor_core.tracking import latest_run
from dreamactor_model.training.stages import parse_stage, stage_title
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

from flows.evaluate import evaluate
from flows.promote import promote
from flows.reproduction import reproduce_stage
from flows.tables import markdown_table

STAGES = {
    "vae": "train-vae",
    "face": "train-face",
    "1": "train@1",
    "2": "train@2",
    "3": "train@3",
    "refiner": "train-refiner",
    "audio": "train-audio",
}
"""The DVC stage of each, in the order of training."""
DEFAULT = ("1", "2", "3", "refiner", "audio")


@flow(name="train-stages", persist_result=False)
def train_stages(stages: list[str] | None = None, judge: bool = True) -> list[str]:
    """Train stages one after another, each as its DVC stage; what they depend on is made first.

    Args:
        stages: which of vae, face, 1, 2, 3, refiner, audio; default: all from 1 on, which need the others. A stage
            whose data, settings and predecessors are unchanged is done.
        judge: evaluate, register and promote the last stage afterwards.

    Returns:
        The stages that really ran.
    """
    wanted = [stage for stage in STAGES if stage in (DEFAULT if stages is None else stages)]
    unknown = sorted(set(stages or ()) - set(STAGES))
    if unknown or not wanted:
        raise ValueError(f"stages {unknown or stages}: choose from {', '.join(STAGES)}")
    ran = [stage for stage in wanted if STAGES[stage] in reproduce_stage(STAGES[stage])]
    get_run_logger().info("trained: %s", ran or "nothing, all up to date")
    rows = [
        {"stage": stage, "state": "trained" if stage in ran else "up to date", "MLflow": _run_of(stage)}
        for stage in wanted
    ]
    versions = ", ".join(f"{name} `{value}`" for name, value in data_versions().items())
    create_markdown_artifact(f"{markdown_table(rows)}\n\n{versions}", key="stages")
    if judge:
        evaluate()
        promote()
    return ran


def _run_of(stage: str) -> str:
    """The stage's newest MLflow run, as a link where a server shows it."""
    from mlflow.exceptions import MlflowException

    try:
        run = latest_run(load_settings().tracking, {"kind": "training", "stage": stage_title(parse_stage(stage))})
    except MlflowException as problem:
        # The metrics wait in their spool meanwhile; a finished training is not lost for want of a link.
        return f"cannot be reached now ({str(problem)[:80]})"
    if run is None:
        return "none"
    return run.run_id if run.url is None else f"[{run.run_id}]({run.url})"
