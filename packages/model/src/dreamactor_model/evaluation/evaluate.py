"""Animate held-out clips through the whole sampling path and measure the result against the truth.

Beside the model stands the baseline that copies the reference: a model that cannot beat it has learnt no motion.
Legend: T video frames, H W training frame.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from dreamactor_core.console import progress
from dreamactor_core.contact_sheet import tile
from dreamactor_core.files import atomic_directory, sha256_file, write_json
from dreamactor_core.image import write_image
from dreamactor_core.lineage import data_versions
from dreamactor_core.provenance import git_commit
from dreamactor_core.settings import Settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.tracking import ExperimentRun

from dreamactor_model.animate.frames import encode_images, to_pixels
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.checkpoint import MANIFEST_FILE
from dreamactor_model.evaluation.confidence import bootstrap_mean
from dreamactor_model.evaluation.held_out import HeldOutClip, load_held_out
from dreamactor_model.evaluation.metrics.frames import perceptual
from dreamactor_model.evaluation.metrics.frames.perceptual import lpips
from dreamactor_model.evaluation.metrics.frames.pixels import PSNR_PROTOCOL, SSIM_PROTOCOL, psnr_db, ssim
from dreamactor_model.evaluation.metrics.sets import video_distance
from dreamactor_model.registry import resolve_checkpoint
from dreamactor_model.sampling.stream import decode_frames, sample_stream

METRICS_FILE, DETAILS_FILE, SHEET_FILE = "metrics.json", "protocol.json", "sheet.png"
METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "psnr_db": psnr_db,
    "ssim": ssim,
    "lpips": lpips,
}
_SHOWN_FRAMES = 4


def evaluate_checkpoint(settings: Settings, manifest: Path) -> Path:
    """Measure `settings.model.checkpoint` on held-out clips; the report appears whole and goes to MLflow too.

    Returns:
        metrics.json: mean and 95 % interval of each metric, for the model and for the baseline. protocol.json beside
        it says how they were made, and sheet.png shows reference, truth and result.

    Raises:
        WeightsError: no such checkpoint.
        InputError: no held-out clip.
    """
    evaluation = settings.evaluation
    folder = resolve_checkpoint(settings)
    model = LoadedModel.load(folder, settings)
    clips = load_held_out(
        manifest,
        settings.dataset.sampling,
        settings.signals.guidance,
        clips=evaluation.clips,
        frames=evaluation.frames,
        frozen=Path(evaluation.frozen_list) if evaluation.frozen_list else None,
    )
    sampling = settings.sampling.model_copy(update={"steps": evaluation.steps, "max_frames": None})
    results = [_animate(model, clip, sampling) for clip in progress(clips, "animating held-out clips")]
    metrics = _measure(clips, results, settings)
    protocol = _protocol(clips, sampling, settings, weights_sha256=sha256_file(folder / MANIFEST_FILE))
    report = Path(evaluation.reports_dir)
    with atomic_directory(report) as temporary:
        write_json(temporary / METRICS_FILE, metrics)
        write_json(temporary / DETAILS_FILE, protocol | {"manifest_sha256": sha256_file(manifest)})
        write_image(temporary / SHEET_FILE, contact_sheet(clips, results))
    _record(settings, report, metrics, protocol)
    return report / METRICS_FILE


def _animate(model: LoadedModel, clip: HeldOutClip, sampling: SamplingSettings) -> np.ndarray:
    """(T, H, W, 3) uint8: the first frame performs the clip's motion."""
    references_RCHW = encode_images(model, clip.frames_THWC[:1])
    latents = sample_stream(model.actor, references_RCHW, clip.motion, sampling)
    return np.stack([to_pixels(frame) for frame in decode_frames(model.vae, latents, len(clip.frames_THWC))])


def _measure(clips: Sequence[HeldOutClip], results: Sequence[np.ndarray], settings: Settings) -> dict[str, float]:
    """Flat: METRIC, METRIC_low, METRIC_high, and the same under copy_reference_METRIC; fvd if it can be had."""
    # The first frame is the reference itself: it would flatter both.
    truths = [clip.frames_THWC[1:] for clip in clips]
    candidates = {
        "": [result[1:] for result in results],
        "copy_reference_": [np.repeat(clip.frames_THWC[:1], len(clip.frames_THWC) - 1, axis=0) for clip in clips],
    }
    values: dict[str, float] = {}
    for prefix, frames in candidates.items():
        for name, metric in METRICS.items():
            per_clip = np.array([metric(made, truth).mean() for made, truth in zip(frames, truths, strict=True)])
            estimate = bootstrap_mean(per_clip, resamples=settings.evaluation.resamples, seed=settings.training.seed)
            values[f"{prefix}{name}"] = round(estimate.value, 4)
            values[f"{prefix}{name}_low"] = round(estimate.low, 4)
            values[f"{prefix}{name}_high"] = round(estimate.high, 4)
        distance = video_distance.video_distance(frames, truths)
        if distance is not None:
            values[f"{prefix}fvd"] = round(distance, 4)
    return values


def _protocol(
    clips: Sequence[HeldOutClip], sampling: SamplingSettings, settings: Settings, *, weights_sha256: str
) -> dict[str, object]:
    return {
        "task": "self-driven: reference = first frame, motion = the clip's own track; the first frame is not measured",
        "psnr_db": PSNR_PROTOCOL,
        "ssim": SSIM_PROTOCOL,
        "lpips": perceptual.PROTOCOL,
        "fvd": video_distance.PROTOCOL,
        "interval": f"95 %, bootstrap over clips, {settings.evaluation.resamples} resamples",
        "baseline": "copy_reference: the reference frame stands still",
        "clips": {clip.clip_id: list(clip.frames_THWC.shape[:3]) for clip in clips},
        "clip_shape": ["frames", "height", "width"],
        "measured_frames": sum(len(clip.frames_THWC) - 1 for clip in clips),
        "checkpoint": settings.model.checkpoint,
        "weights_sha256": weights_sha256,
        "sampling": sampling.model_dump(),
    }


def contact_sheet(clips: Sequence[HeldOutClip], results: Sequence[np.ndarray]) -> np.ndarray:
    """One row a shown frame: reference, truth, result. Clips of other sizes than the first are left out."""
    shape = clips[0].frames_THWC.shape[1:]
    cells: list[np.ndarray] = []
    for clip, result in zip(clips, results, strict=True):
        if clip.frames_THWC.shape[1:] != shape:
            continue
        for frame in np.linspace(0, len(result) - 1, _SHOWN_FRAMES).round().astype(int):
            cells += [clip.frames_THWC[0], clip.frames_THWC[frame], result[frame]]
    return tile(cells, columns=3 * 2)


def _record(settings: Settings, report: Path, metrics: Mapping[str, float], protocol: Mapping[str, object]) -> None:
    tags = {
        "kind": "evaluation",
        "git_commit": git_commit() or "unknown",
        "weights_sha256": str(protocol["weights_sha256"]),
        **data_versions(),
    }
    with ExperimentRun.start(settings.tracking, "evaluate", tags=tags) as run:
        run.params({"evaluation": settings.evaluation.model_dump(), "sampling": protocol["sampling"]})
        run.metrics(metrics)
        run.artifact(report, "evaluation")
