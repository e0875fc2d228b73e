"""Run a suite: clips are animated by every contender, measured, and reported (paper 4).

Read in this order: `suites` (what is compared on what), `contender` and `baselines` (who competes), `measuring`
(figures), `report` (what people see).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from dreamactor_core.console import progress, say
from dreamactor_core.files import sha256_file
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings import Settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.tracking import ExperimentRun
from dreamactor_dataset.balance.evaluation_list import read_frozen

from dreamactor_model.animate.loaded import as_trained, fineness_of
from dreamactor_model.checkpoint import MANIFEST_FILE, read_about
from dreamactor_model.evaluation.baselines import CopyReference, Warp
from dreamactor_model.evaluation.case import Case
from dreamactor_model.evaluation.confidence import Figure
from dreamactor_model.evaluation.contender import Contender, ModelContender, load_contender
from dreamactor_model.evaluation.kept import KeptVideos
from dreamactor_model.evaluation.measuring import describe, measure
from dreamactor_model.evaluation.outcome import COPY, WARP, Outcome
from dreamactor_model.evaluation.report import METRICS_FILE, write_report
from dreamactor_model.evaluation.suites.scenes import Scene, load_scene
from dreamactor_model.evaluation.suites.selection import Pair, select_pairs
from dreamactor_model.evaluation.suites.table import SUITES, Suite
from dreamactor_model.evaluation.unavailable import Unavailable
from dreamactor_model.presets import TEMPORAL_STRIDE
from dreamactor_model.registry import checkpoint_folder
from dreamactor_model.sampling.segments import plan_segments

_Videos = dict[str, list[np.ndarray]]


def evaluate_checkpoint(settings: Settings, manifest: Path) -> Path:
    """Measure `evaluation.checkpoint` by `evaluation.suite`; the report appears whole and goes to MLflow.

    A run that was killed goes on with the videos that it had made (`KeptVideos`).

    Returns:
        metrics.json: every figure of every contender with its 95 % interval. Beside it protocol.json (how they were
        made), report.html, report.md, and videos and contact sheets that show the contenders side by side.

    Raises:
        WeightsError: no such checkpoint.
        InputError: no held-out clip, or too few of those that the suite is about.
    """
    evaluation = settings.evaluation
    suite, checkpoint = SUITES[evaluation.suite], checkpoint_folder(settings.tracking, evaluation.checkpoint)
    frozen = Path(evaluation.frozen_list) if evaluation.frozen_list else None
    pairs = select_pairs(suite, manifest, clips=evaluation.clips, frozen=frozen)
    about = read_about(checkpoint)
    fineness = fineness_of(about)
    scenes = [load_scene(pair, manifest.parent, suite, settings, fineness) for pair in progress(pairs, "reading clips")]
    sampling = as_trained(settings.sampling, about).model_copy(update={"steps": evaluation.steps, "max_frames": None})
    protocol = _protocol(suite, pairs, manifest, settings, sampling)
    kept = KeptVideos(Path(evaluation.work_dir), protocol | {"settings": settings.model_dump(mode="json")})
    not_run: dict[str, str] = {}
    contenders = _contenders(suite, checkpoint, settings, sampling, not_run)
    videos, weights = _animate(suite, scenes, contenders, kept)
    protocol |= {
        "checkpoint": evaluation.checkpoint,
        "weights_sha256": sha256_file(checkpoint / MANIFEST_FILE),
        "variant_weights_sha256": weights,
    }
    outcome = _measure(suite, scenes, videos, not_run, protocol, settings, sampling)
    report = Path(evaluation.reports_dir) / suite.name
    write_report(report, outcome)
    _record(settings, report, outcome)
    kept.discard()
    return report / METRICS_FILE


def _contenders(
    suite: Suite, checkpoint: Path, settings: Settings, sampling: SamplingSettings, not_run: dict[str, str]
) -> Iterator[tuple[str, Contender]]:
    """Baselines, then variants, one model in memory at a time; those that cannot run are noted instead."""
    yield COPY, CopyReference()
    yield WARP, Warp()
    for variant in suite.variants:
        try:
            contender = load_contender(variant, checkpoint, settings, sampling)
        except Unavailable as unavailable:
            not_run[variant.name] = unavailable.reason
            say(f"{variant.name} is left out: {unavailable.reason}")
            continue
        yield variant.name, contender


def _animate(
    suite: Suite, scenes: Sequence[Scene], contenders: Iterable[tuple[str, Contender]], kept: KeptVideos
) -> tuple[_Videos, dict[str, str]]:
    """What all of them make of the scenes, and the weights of those that have any."""
    videos: _Videos = {}
    weights: dict[str, str] = {}
    for name, contender in contenders:
        if isinstance(contender, ModelContender):
            weights[name] = contender.weights_sha256
        videos[name] = [
            kept.video(name, scene.name, partial(contender.animate, scene), weights=weights.get(name, ""))
            for scene in progress(scenes, f"{suite.name}: {name}")
        ]
    return videos, weights


def _measure(
    suite: Suite,
    scenes: Sequence[Scene],
    videos: Mapping[str, Sequence[np.ndarray]],
    not_run: Mapping[str, str],
    protocol: Mapping[str, Any],
    settings: Settings,
    sampling: SamplingSettings,
) -> Outcome:
    figures: dict[str, dict[str, Figure]] = {}
    reasons: dict[str, dict[str, str]] = {}
    described: dict[str, object] = {}
    for name in progress(list(videos), f"{suite.name}: measuring"):
        cases = [_case(scene, video, sampling) for scene, video in zip(scenes, videos[name], strict=True)]
        described = describe(cases, settings)
        figures[name], missing = measure(cases, settings)
        for metric, reason in missing.items():
            reasons.setdefault(metric, {})[name] = reason
    unavailable = {metric: _one_reason(of_each, list(videos)) for metric, of_each in reasons.items()}
    whole = {**protocol, **described}
    return Outcome(suite, scenes, videos, figures, unavailable, not_run, whole)


def _one_reason(reasons: Mapping[str, str], contenders: Sequence[str]) -> str:
    """Why a metric has no figure: what is true of all, or whom it is about."""
    if set(reasons) == set(contenders) and len(set(reasons.values())) == 1:
        return reasons[contenders[0]]
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items())


def _case(scene: Scene, video_THWC: np.ndarray, sampling: SamplingSettings) -> Case:
    """The frames that count."""
    starts = [
        segment.first_latent * TEMPORAL_STRIDE + 1
        for segment in plan_segments(len(scene), sampling.segment_frames)
        if segment.carried
    ]
    return Case(
        clip_id=scene.name,
        truth_THWC=None if scene.truth_THWC is None else scene.truth_THWC[scene.measured],
        result_THWC=video_THWC[scene.measured],
        reference_HWC=scene.references_RHWC[0],
        driving=scene.driving[scene.measured],
        segment_starts=(0, *np.searchsorted(scene.measured, starts).tolist()),
    )


def _protocol(
    suite: Suite, pairs: Sequence[Pair], manifest: Path, settings: Settings, sampling: SamplingSettings
) -> dict[str, Any]:
    """Of what is compared, all that another run must share for its figures to be comparable."""
    frozen, folder = settings.evaluation.frozen_list, manifest.parent
    rows = {row.clip_id: row for pair in pairs for row in (pair.person, pair.driver)}
    return {
        "suite": suite.name,
        "task": suite.about,
        "measured": "all frames but those that a contender is shown as references",
        "contenders": {variant.name: variant.about for variant in suite.variants},
        "frozen_list_sha256": None if frozen is None else read_frozen(Path(frozen)).sha256,
        "sources": {
            name: {"video": row.sha256, "track": sha256_file(folder / str(row.motion))} for name, row in rows.items()
        },
        "sampling": sampling.model_dump(mode="json"),
        "manifest_sha256": sha256_file(manifest),
    }


def _record(settings: Settings, report: Path, outcome: Outcome) -> None:
    tags = {
        "kind": "evaluation",
        "suite": outcome.suite.name,
        "git_commit": git_commit() or "unknown",
        "weights_sha256": str(outcome.protocol["weights_sha256"]),
        **data_versions(),
    }
    with ExperimentRun.start(settings.tracking, f"evaluate {outcome.suite.name}", tags=tags) as run:
        run.params({"evaluation": settings.evaluation.model_dump(), "sampling": outcome.protocol["sampling"]})
        run.metrics(outcome.flat())
        run.artifact(report, "evaluation")
