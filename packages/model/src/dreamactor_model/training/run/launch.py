"""Train a stage, from its checks to its report. This process never imports DeepSpeed, nor torch."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from dreamactor_core.console import say
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import atomic_directory, require_file, sha256_file, write_json, write_text
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings import Settings
from dreamactor_core.spooled_run import SpooledRun, waiting
from dreamactor_core.tracking import RUN_VARIABLE

from dreamactor_model.lora.base import with_local_base
from dreamactor_model.presets import get_preset
from dreamactor_model.training.checkpoints.commit import find_checkpoint
from dreamactor_model.training.checkpoints.state import TrainingState
from dreamactor_model.training.run.curves import write_report
from dreamactor_model.training.run.journal import read_journal
from dreamactor_model.training.run.nodes import Nodes, find_nodes
from dreamactor_model.training.run.ranks import Ranks
from dreamactor_model.training.spec import (
    CHECKPOINTS,
    FAILURE,
    FINAL_METRICS,
    JOURNAL,
    SHARED_TRAINING,
    SPEC,
    TrainingSpec,
    configuration_hash,
)
from dreamactor_model.training.stages import (
    Stage,
    base_folder,
    output_dir,
    prerequisites,
    stage_settings,
    stage_title,
    training_data,
)

_MAKE_CLIPS = "Make it with: dreamactor dataset ingest, dreamactor signals extract, then dreamactor dataset pack"
_MAKE_FACES = "Make it with: dreamactor dataset synthesize-faces"


@dataclass(frozen=True)
class TrainedStage:
    """What a stage left behind."""

    weights: Path
    metrics: dict[str, float]
    work_dir: Path


def train_stage(settings: Settings, stage: Stage, manifest: Path, *, resume: str = "auto") -> TrainedStage:
    """Train one stage to its finished weights.

    Two may have nothing to train: stage vae takes over the VAE of a base, stage refiner the model of a preset that has
    no refiner.

    Args:
        manifest: the clips; stage face learns from `training.faces_dir` instead.
        resume: "auto" goes on from this configuration's latest checkpoint, if there is one; "none" starts anew; a
            number goes on from that step.

    Raises:
        TrainingError: an earlier stage is missing, the checkpoint cannot be used, or training failed; says why.
    """
    base = base_folder(settings.training)
    if stage == "vae" and base is not None:
        return _adopt(stage, base / "vae", settings)
    if stage == "refiner" and get_preset(settings.model.preset).refiner is None:
        return _adopt(stage, prerequisites(settings.training, stage)["3"], settings)
    if stage == "lora":
        settings = with_local_base(settings)
    nodes = find_nodes(settings.training, os.environ)
    spec = _specify(settings, stage, manifest)
    if nodes.number > 0:
        return _help_train(spec, settings, nodes)
    spec = _choose_start(spec, resume)
    _prepare_speech(spec, settings)
    # MLflow is imported and asked while the ranks import theirs: both take seconds.
    with Ranks(spec, settings, nodes) as ranks, _experiment_run(spec, settings) as run:
        ranks.follow(run)
        metrics = _last_metrics(spec)
        run.metrics({f"final_{name}": value for name, value in metrics.items()}, int(metrics["steps"]))
        report = Path(settings.training.reports_dir) / spec.title
        write_report(report, spec.work_dir / JOURNAL, metrics, title=spec.title)
        run.artifact(report, "training")
        run.tags({"weights_manifest_sha256": sha256_file(spec.output / "manifest.json")})
    say(f"{spec.title}: finished, weights in {spec.output}")
    return TrainedStage(spec.output, metrics, spec.work_dir)


def _help_train(spec: TrainingSpec, settings: Settings, nodes: Nodes) -> TrainedStage:
    """Another node of a cluster's run: rank 0, elsewhere, decides where to start, saves and reports."""
    with Ranks(spec, settings, nodes) as ranks:
        ranks.follow(None)
    return TrainedStage(spec.output, _last_metrics(spec), spec.work_dir)


def _adopt(stage: Stage, source: Path, settings: Settings) -> TrainedStage:
    """Put finished weights where those of a stage would lie, with a report of no steps."""
    title, metrics = stage_title(stage), {"steps": 0.0}
    weights, report = output_dir(settings.training, stage), Path(settings.training.reports_dir) / title
    with atomic_directory(weights) as temporary:
        shutil.copytree(source, temporary, dirs_exist_ok=True)
    with atomic_directory(report) as temporary:
        write_text(temporary / "loss.csv", "step,loss\n")
        write_json(temporary / "metrics.json", metrics)
    say(f"{title}: taken over from {source}")
    return TrainedStage(weights, metrics, source)


def _specify(settings: Settings, stage: Stage, manifest: Path) -> TrainingSpec:
    """The run from its start."""
    training = settings.training
    manifest = training_data(training, stage, manifest)
    require_file(manifest, remedy=_MAKE_FACES if stage == "face" else _MAKE_CLIPS)
    starts_from = prerequisites(training, stage)
    configuration = configuration_hash(settings, stage, manifest, starts_from)
    work_dir = Path(training.work_dir) / f"{stage_title(stage)}-{configuration[:12]}"
    work_dir.mkdir(parents=True, exist_ok=True)
    return TrainingSpec(
        stage=stage,
        settings=settings.model_dump(mode="json"),
        manifest=manifest,
        starts_from=starts_from,
        work_dir=work_dir,
        output=output_dir(training, stage),
        configuration=configuration,
        without_data=configuration_hash(settings, stage, None, starts_from),
        checkpoint=None,
    )


def _choose_start(spec: TrainingSpec, resume: str) -> TrainingSpec:
    """With the checkpoint to go on from; refused here already, before anything heavy starts."""
    checkpoint = find_checkpoint(spec.work_dir / CHECKPOINTS, resume)
    (spec.work_dir / FAILURE).unlink(missing_ok=True)
    if checkpoint is None:
        if resume == "auto":
            _refuse_other_data(spec)
        (spec.work_dir / JOURNAL).unlink(missing_ok=True)
        return spec
    TrainingState.read(checkpoint, configuration=spec.configuration)
    return spec.model_copy(update={"checkpoint": checkpoint})


def _refuse_other_data(spec: TrainingSpec) -> None:
    """An interrupted run that would now begin anew, only because its data have changed, must not do so unsaid."""
    for other in spec.work_dir.parent.glob(f"{spec.title}-*"):
        unfinished = not (other / FINAL_METRICS).exists() and any((other / CHECKPOINTS).glob("step-*"))
        if other == spec.work_dir or not unfinished:
            continue
        recorded = json.loads((other / SPEC.format(node=0)).read_text())
        if recorded.get("without_data") == spec.without_data:
            raise TrainingError(
                f"the data set is not of the version that the interrupted training in {other} began with",
                path=spec.manifest,
                remedy="Bring that version back (dvc checkout), or begin anew with: --resume none",
            )


def _prepare_speech(spec: TrainingSpec, settings: Settings) -> None:
    """Speak the sentences once, before there are ranks that would all do so."""
    if spec.stage == "audio":
        from dreamactor_model.training.audio.speech_set import prepare_speech

        prepare_speech(settings)


def _experiment_run(spec: TrainingSpec, settings: Settings) -> SpooledRun:
    """A new MLflow run, or the one that the checkpoint to go on from or whoever started us names."""
    run_id = os.environ.get(RUN_VARIABLE)
    if run_id is None and spec.checkpoint is not None:
        run_id = TrainingState.read(spec.checkpoint, configuration=spec.configuration).mlflow_run
    tags = {
        "kind": "training",
        "stage": spec.title,
        "git_commit": git_commit() or "unknown",
        "manifest_sha256": sha256_file(spec.manifest),
        "configuration": spec.work_dir.name,
        **data_versions(),
    }
    run = SpooledRun(
        settings.tracking,
        spec.work_dir,
        spec.title,
        tags=tags,
        resumes=spec.checkpoint is not None or run_id is not None,
        run_id=run_id,
        leftovers=[other for other in Path(settings.training.work_dir).iterdir() if waiting(other)],
    )
    run.params(
        {
            "preset": settings.model.preset,
            "stage": stage_settings(settings.training, spec.stage).model_dump(),
            "sampling": settings.dataset.sampling.model_dump(),
            "training": settings.training.model_dump(include=SHARED_TRAINING),
        }
    )
    return run


def _last_metrics(spec: TrainingSpec) -> dict[str, float]:
    """The last logged losses, and what the stage measured of its finished weights."""
    last = read_journal(spec.work_dir / JOURNAL)[-1]
    measured: dict[str, float] = json.loads((spec.work_dir / FINAL_METRICS).read_text())
    steps = last.pop("step")
    return last | measured | {"steps": steps}
