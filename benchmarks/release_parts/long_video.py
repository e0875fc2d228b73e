"""300 frames in one go: whether colours wander, and whether the joins of segments can be seen.

Held-out people perform twelve seconds each, tracked by the embedded tracker; the first frame is the reference.

    python -m benchmarks.release_parts.long_video
"""

import json

import numpy as np
import torch
from dreamactor_dataset.fitting import Fit
from dreamactor_dataset.synthetic.clip import FPS, make_clip
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.plan import ClipPlan, plan_clips
from dreamactor_model.evaluation.contender import ModelContender
from dreamactor_model.evaluation.metrics.time.drift import colour_drift, join_jump
from dreamactor_model.evaluation.suites.scenes import Scene
from dreamactor_model.evaluation.suites.table import MODEL
from dreamactor_model.presets import TEMPORAL_STRIDE
from dreamactor_model.sampling.segments import plan_segments
from dreamactor_signals.faces import crop_faces
from dreamactor_signals.trackers import make_tracker

from benchmarks.release_parts.held_out import enter, load_model

_FRAMES, _PEOPLE = 300, 4
_CATEGORIES = ("speech", "gesture")


def measure(scale: float = 1.0) -> dict[str, float | None]:
    """Mean drift and jump over some people, in grey levels; `scale` below 1 takes fewer frames."""
    settings = enter()
    frame_count = 4 * round(_FRAMES * scale / 4)
    model, sampling = load_model(settings)
    contender = ModelContender(model, MODEL, sampling, settings.signals.guidance)
    tracker, synthetic = make_tracker(settings.signals), settings.dataset.synthetic
    starts = [part.first_latent * TEMPORAL_STRIDE + 1 for part in plan_segments(frame_count, sampling.segment_frames)]
    drifts, jumps = [], []
    for plan in _plans(synthetic.people, synthetic.clips, synthetic.seed):
        figure = build_figure(make_identity(plan.seed, plan.person))
        filmed = make_clip(plan, figure, (synthetic.size, synthetic.size), frame_count).frames
        side = model.fineness * round(settings.dataset.sampling.area**0.5)
        fit = Fit.cover((synthetic.size, synthetic.size), (side, side))
        track = tracker.track(list(filmed), FPS, (synthetic.size, synthetic.size), "")
        seen = fit.track(track)
        boxes_px = np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
        truth_THWC = fit.frames(filmed)
        scene = Scene(
            plan.name,
            truth_THWC[:1],
            seen[:1],
            seen,
            crop_faces(filmed, boxes_px),
            truth_THWC,
            self_driven=True,
            measured=np.arange(frame_count),
        )
        with torch.inference_mode():
            made_THWC = contender.animate(scene)
        drifts.append(colour_drift(made_THWC, truth_THWC, float(FPS)))
        jumps.append(join_jump(made_THWC, starts))
    return {
        "drift_levels": float(np.mean([drift for drift in drifts if drift is not None])),
        "drift_levels_worst": float(np.max([drift for drift in drifts if drift is not None])),
        "join_jump_levels": float(np.mean([jump for jump in jumps if jump is not None])),
        "long_video_frames": frame_count,
    }


def _plans(people: int, clips: int, seed: int) -> list[ClipPlan]:
    """One clip each of some held-out people, from where motions are made from curves of any length."""
    chosen: dict[int, ClipPlan] = {}
    for plan in plan_clips(people, clips, seed):
        if plan.split == "test" and plan.category in _CATEGORIES and not plan.turns:
            chosen.setdefault(plan.person, plan)
    return list(chosen.values())[:_PEOPLE]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
