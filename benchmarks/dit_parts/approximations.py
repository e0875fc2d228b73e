"""What the optional approximations of sampling save, and what they cost.

    python -m benchmarks.dit_parts.approximations [SCALE]

A trained model (`model.checkpoint` of the settings; random weights would say little) animates a photograph with a real
video, one segment, both scales 2.5, once as it should be and once in each approximate mode, with the same noise. Of
each mode: `approx_MODE_speed`, exact time over its time, sampling alone, in interleaved rounds (processor time where
there is no GPU); `approx_MODE_block_share`, the evaluations of the blocks left over; `approx_MODE_psnr_db`, decoded
frames against the exact run's. `few_steps_10` stands beside them: the approximation anyone would try first.
`causal_references` runs jointly trained weights with references that do not look at the video, so its PSNR is what that
costs without training for it.

`solver_KIND_STEPS_error` is the error of the latents against a solution in 200 Euler steps, relative to their spread.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.footage import footage
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.frames import to_pixels
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.motion import DrivenMotion
from dreamactor_model.animate.references import encode_references
from dreamactor_model.animate.subject import read_subject
from dreamactor_model.evaluation.metrics.frames.pixels import psnr_db
from dreamactor_model.sampling.references import References
from dreamactor_model.sampling.stream import MotionArrays, decode_frames, sample_stream
from dreamactor_signals.extraction import extract_video
from dreamactor_signals.retarget import retarget
from dreamactor_signals.trackers import make_tracker
from torch import Tensor

from benchmarks.dit_parts.rounds import interleaved_medians_s

FRAMES, STEPS, ROUNDS = 33, 20, 3
SOLVER_STEPS, SOLVED_STEPS = (6, 10, 20), 200
MODES: Mapping[str, dict[str, object]] = {
    "few_steps_10": {"steps": 10},
    "step_cache_0.05": {"step_cache_threshold": 0.05},
    "step_cache_0.1": {"step_cache_threshold": 0.1},
    "step_cache_0.2": {"step_cache_threshold": 0.2},
    "guidance_every_2": {"guidance_every": 2},
    "guidance_every_3": {"guidance_every": 3},
    "step_cache_0.1_guidance_every_2": {"step_cache_threshold": 0.1, "guidance_every": 2},
    "causal_references": {},
}


@dataclass(frozen=True)
class _Scene:
    """One segment to sample again and again."""

    model: LoadedModel
    references: References
    motion: MotionArrays

    def latents(self, actor: DreamActor, sampling: SamplingSettings) -> Tensor:
        return torch.cat(list(sample_stream(actor, self.references, self.motion, sampling)), dim=2)

    def frames(self, actor: DreamActor, sampling: SamplingSettings) -> tuple[np.ndarray, int]:
        """(T, H, W, 3) uint8, and how many clips passed through the first block on the way."""
        counts: list[int] = []
        hook = actor.dit.blocks[0].register_forward_pre_hook(lambda _, given: counts.append(len(given[0])))
        latents = self.latents(actor, sampling)
        hook.remove()
        frames = decode_frames(self.model.vae, [latents], len(self.motion))
        return np.stack([to_pixels(frame) for frame in frames]), sum(counts)


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """The table of modes; null with the reason where there is no trained model."""
    settings = load_settings()
    try:
        model = LoadedModel.load(Path(settings.model.checkpoint), settings)
    except WeightsError as problem:
        missing: dict[str, float | bool | str | None] = {}
        for mode in MODES:
            for figure in ("speed", "block_share", "psnr_db"):
                missing[f"approx_{mode}_{figure}"] = None
                missing[f"approx_{mode}_{figure}_why"] = f"needs a trained model: {problem.line()}"
        return missing
    scene = _scene(model, settings)
    return _table(scene, rounds=max(1, round(ROUNDS * scale))) | _solver_errors(scene)


def _table(scene: _Scene, rounds: int) -> dict[str, float | bool | str | None]:
    exact = SamplingSettings(steps=STEPS, segment_frames=FRAMES)
    actor = scene.model.actor
    runs = {"exact": (actor, exact)} | {
        mode: (_causal(actor) if mode == "causal_references" else actor, exact.model_copy(update=changes))
        for mode, changes in MODES.items()
    }
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    calls = {mode: partial(scene.latents, *run) for mode, run in runs.items()}
    seconds = interleaved_medians_s(calls, rounds, clock)
    truth, exact_blocks = scene.frames(actor, exact)
    figures: dict[str, float | bool | str | None] = {"approx_exact_s": round(seconds["exact"], 3)}
    for mode in MODES:
        frames, blocks = scene.frames(*runs[mode])
        figures[f"approx_{mode}_speed"] = round(seconds["exact"] / seconds[mode], 3)
        figures[f"approx_{mode}_block_share"] = round(blocks / exact_blocks, 3)
        figures[f"approx_{mode}_psnr_db"] = round(float(psnr_db(frames, truth).mean()), 2)
    return figures


def _solver_errors(scene: _Scene) -> dict[str, float | bool | str | None]:
    def solved(solver: str, steps: int) -> Tensor:
        settings = {"solver": solver, "steps": steps, "segment_frames": FRAMES}
        return scene.latents(scene.model.actor, SamplingSettings.model_validate(settings))

    truth = solved("euler", SOLVED_STEPS)
    return {
        f"solver_{solver}_{steps}_error": round(float((solved(solver, steps) - truth).std() / truth.std()), 4)
        for solver in ("euler", "unipc")
        for steps in SOLVER_STEPS
    }


def _causal(actor: DreamActor) -> DreamActor:
    changed = DreamActor(replace(actor.config, reference_attention="causal"))
    changed.load_state_dict(actor.state_dict())
    return changed.eval().to(next(actor.parameters()).device)


def _scene(model: LoadedModel, settings: Settings) -> _Scene:
    """A photograph and a talking head, tracked and drawn once."""
    tracker = make_tracker(settings.signals)
    subject = read_subject((footage("astronaut"),), tracker, area=int(model.about["area"]), fineness=model.fineness)
    driving = extract_video(footage("smiling-man"), tracker, max_frames=FRAMES)
    retargeted = retarget(driving, subject.track)
    drawn = DrivenMotion(retargeted, subject.size, video=footage("smiling-man"), driving=driving)
    every = range(FRAMES)
    motion = MotionArrays(drawn.control_maps(every), drawn.face_crops(every), track=drawn.track)
    return _Scene(model, encode_references(model, subject, drawn.guidance), motion)


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))
