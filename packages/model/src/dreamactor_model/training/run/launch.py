"""Start a stage's training and wait for it. This process never imports DeepSpeed, nor torch.

torchrun starts the ranks; a supervisor between us and it sees to it that no rank outlives us and that SIGTERM leaves
the ranks the time to save. Their output goes to a file; only milestones are shown.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dreamactor_core.children import spawn, stop
from dreamactor_core.console import say
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import atomic_directory, require_file, sha256_file, write_json, write_text
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings import Settings
from dreamactor_core.supervisor import GRACE_S
from dreamactor_core.tracking import ExperimentRun

from dreamactor_model.training.run.checkpoints import find_checkpoint
from dreamactor_model.training.run.curves import write_report
from dreamactor_model.training.run.journal import METRICS, MILESTONE, read_journal
from dreamactor_model.training.spec import (
    CHECKPOINTS,
    FAILURE,
    FINAL_METRICS,
    JOURNAL,
    LOG,
    RUN_ID,
    SHARED_TRAINING,
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

_TAIL_LINES = 5
_MAKE_CLIPS = "Make it with: dreamactor dataset ingest, then dreamactor signals extract"
_MAKE_FACES = "Make it with: dreamactor dataset synthesize-faces"


@dataclass(frozen=True)
class TrainedStage:
    """What a stage left behind."""

    weights: Path
    metrics: dict[str, float]
    work_dir: Path


def train_stage(settings: Settings, stage: Stage, manifest: Path, *, resume: str = "auto") -> TrainedStage:
    """Train one stage to its finished weights; stage vae trains nothing where there is a base, whose VAE it takes over.

    Args:
        manifest: the clips; stage face learns from `training.faces_dir` instead.
        resume: "auto" goes on from this configuration's latest checkpoint, if there is one; "none" starts anew; a
            number goes on from that step.

    Raises:
        TrainingError: an earlier stage is missing, the checkpoint cannot be used, or training failed; says why.
    """
    base = base_folder(settings.training)
    if stage == "vae" and base is not None:
        return _adopt_vae(base, settings)
    spec, resumes = _specify(settings, stage, manifest, resume)
    _prepare_clips(spec, settings)
    # MLflow is imported and asked while the ranks import theirs: both take seconds.
    with _Ranks(spec, settings) as ranks, _experiment_run(spec, settings, resumes=resumes) as run:
        ranks.follow(run)
        metrics = _last_metrics(spec)
        run.metrics({f"final_{name}": value for name, value in metrics.items()}, int(metrics["steps"]))
        report = Path(settings.training.reports_dir) / spec.title
        write_report(report, spec.work_dir / JOURNAL, metrics, title=spec.title)
        run.artifact(report, "training")
        run.tags({"weights_manifest_sha256": sha256_file(spec.output / "manifest.json")})
    say(f"{spec.title}: finished, weights in {spec.output}")
    return TrainedStage(spec.output, metrics, spec.work_dir)


def _adopt_vae(base: Path, settings: Settings) -> TrainedStage:
    """Put the base's VAE where that of stage vae would lie, with a report of no steps."""
    title, metrics = stage_title("vae"), {"steps": 0.0}
    weights, report = output_dir(settings.training, "vae"), Path(settings.training.reports_dir) / title
    with atomic_directory(weights) as temporary:
        shutil.copytree(base / "vae", temporary, dirs_exist_ok=True)
    with atomic_directory(report) as temporary:
        write_text(temporary / "loss.csv", "step,loss\n")
        write_json(temporary / "metrics.json", metrics)
    say(f"{title}: taken over from {base}")
    return TrainedStage(weights, metrics, base)


def _specify(settings: Settings, stage: Stage, manifest: Path, resume: str) -> tuple[TrainingSpec, bool]:
    """The run, and whether it goes on from a checkpoint."""
    training = settings.training
    manifest = training_data(training, stage, manifest)
    require_file(manifest, remedy=_MAKE_FACES if stage == "face" else _MAKE_CLIPS)
    starts_from = prerequisites(training, stage)
    key = configuration_hash(settings, stage, manifest, starts_from)[:12]
    work_dir = Path(training.work_dir) / f"{stage_title(stage)}-{key}"
    work_dir.mkdir(parents=True, exist_ok=True)
    # Refused here already, before anything heavy starts.
    checkpoint = find_checkpoint(work_dir / CHECKPOINTS, resume)
    if checkpoint is None:
        (work_dir / JOURNAL).unlink(missing_ok=True)
    (work_dir / FAILURE).unlink(missing_ok=True)
    spec = TrainingSpec(
        stage=stage,
        settings=settings.model_dump(mode="json"),
        manifest=manifest,
        starts_from=starts_from,
        work_dir=work_dir,
        output=output_dir(training, stage),
        resume=resume,
    )
    return spec, checkpoint is not None


def _prepare_clips(spec: TrainingSpec, settings: Settings) -> None:
    """Decode the clips once, before there are ranks that would all decode them; the same for speech."""
    if spec.stage == "vae":
        from dreamactor_model.training.data.prepared import prepare_clips, prepared_folder

        prepare_clips(spec.manifest, "train", settings.dataset.sampling, prepared_folder(settings.training))
    if spec.stage == "audio":
        from dreamactor_model.training.audio.speech_set import prepare_speech

        prepare_speech(settings)


def _experiment_run(spec: TrainingSpec, settings: Settings, *, resumes: bool) -> ExperimentRun:
    """A new MLflow run, or the one that the checkpoint to go on from belongs to."""
    known = spec.work_dir / RUN_ID
    if resumes and known.exists():
        return ExperimentRun.join(settings.tracking, known.read_text())
    tags = {
        "kind": "training",
        "stage": spec.title,
        "git_commit": git_commit() or "unknown",
        "manifest_sha256": sha256_file(spec.manifest),
        "configuration": spec.work_dir.name,
        **data_versions(),
    }
    run = ExperimentRun.start(settings.tracking, spec.title, tags=tags)
    write_text(known, run.run_id)
    run.params(
        {
            "preset": settings.model.preset,
            "stage": stage_settings(settings.training, spec.stage).model_dump(),
            "sampling": settings.dataset.sampling.model_dump(),
            "training": settings.training.model_dump(include=SHARED_TRAINING),
        }
    )
    return run


class _Ranks:
    """The training processes: started on entry, gone on exit, whatever happens between."""

    def __init__(self, spec: TrainingSpec, settings: Settings) -> None:
        self._spec, self._count = spec, settings.training.processes

    def __enter__(self) -> Self:
        say(f"{self._spec.title}: {self._count} training processes (log: {self._spec.work_dir / LOG})")
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={self._count}"]
        torchrun += ["--log-dir", str(self._spec.work_dir / "torchrun")]
        trainer = ["-m", "dreamactor_model.training.run.trainer", str(self._spec.write())]
        threads = max(1, (os.cpu_count() or 1) // self._count)
        self._process = spawn(
            [sys.executable, "-m", "dreamactor_core.supervisor", sys.executable, *torchrun, *trainer],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            environment={"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"},
        )
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            stop(self._process, grace_s=GRACE_S + 5)

    def follow(self, run: ExperimentRun) -> None:
        """Until they end: their output to the log, milestones to the user, metrics to MLflow.

        Raises:
            TrainingError: they failed or were stopped.
        """
        assert self._process.stdout is not None
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        with (self._spec.work_dir / LOG).open("ab", buffering=0) as log:
            for raw in self._process.stdout:
                log.write(raw)
                line = raw.decode(errors="replace").rstrip()
                if line.startswith(MILESTONE):
                    say(line.removeprefix(MILESTONE))
                elif line.startswith(METRICS):
                    values = json.loads(line.removeprefix(METRICS))
                    run.metrics(values, values.pop("step"))
                elif line:
                    tail.append(line)
        status = self._process.wait()
        if status != 0:
            raise _failure(self._spec, status, list(tail))


def _failure(spec: TrainingSpec, status: int, tail: list[str]) -> TrainingError:
    reason = spec.work_dir / FAILURE
    if reason.exists():
        return TrainingError(json.loads(reason.read_text())["problem"])
    last_words = " | ".join(tail) or "no output"
    return TrainingError(
        f"training of {spec.title} ended with status {status}: {last_words}",
        path=spec.work_dir / LOG,
        remedy="The log says more; repeat the command to go on from the last checkpoint",
    )


def _last_metrics(spec: TrainingSpec) -> dict[str, float]:
    """The last logged losses, and what the stage measured of its finished weights."""
    last = read_journal(spec.work_dir / JOURNAL)[-1]
    measured: dict[str, float] = json.loads((spec.work_dir / FINAL_METRICS).read_text())
    steps = last.pop("step")
    return last | measured | {"steps": steps}
