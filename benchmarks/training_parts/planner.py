"""The planner's peak memory against what training really allocates: small configurations, every ZeRO stage and policy.

Measured are all of PyTorch's allocations on the CPU from the making of the model on, by its profiler, over two steps of
the real engine; on a GPU the allocator's own peak. Neither sees what a kernel keeps for itself.

    python -m benchmarks.training_parts.planner
"""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.training import ActivationCheckpointing, DiffusionStageSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.plan.plan import peak_memory
from dreamactor_model.plan.states import count_parameters
from dreamactor_model.plan.trace import StepCost, trace_step
from dreamactor_model.plan.workload import Cut, TrainingLoad
from dreamactor_model.presets import CONTROL_CHANNELS, FACE_CROP_PX, Preset, get_preset
from dreamactor_model.training.checkpoints.fragments import HeldState
from dreamactor_model.training.diffusion.diffusion_stage import FlowObjective
from dreamactor_model.training.run.ema import WeightAverage
from dreamactor_model.training.run.engine import join_ranks, make_engine
from dreamactor_model.training.task import Batch

from benchmarks.training_parts.ranks import run_ranks

_SIDE, _FRAMES, _FP32 = 64, 25, 4
_WIDE = replace(get_preset("tiny").actor, dim=384, heads=6, ffn_dim=1536, layers=4)
_STAGE = DiffusionStageSettings(steps=2)


@dataclass(frozen=True)
class Case:
    """One training to predict and to measure."""

    folder: Path
    zero_stage: int
    checkpointing: ActivationCheckpointing
    ranks: int

    @property
    def name(self) -> str:
        """For people."""
        return f"zero{self.zero_stage}_{self.checkpointing}"


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Largest relative error of a predicted peak, and predicted and measured MiB of each case."""
    with tempfile.TemporaryDirectory() as folder:
        kinds: list[tuple[int, ActivationCheckpointing, int]] = [(0, "none", 1), (0, "selective", 1), (0, "full", 1)]
        if scale >= 1:
            kinds += [(1, "none", 2), (2, "none", 2), (3, "none", 2)]
        cases = [Case(Path(folder) / f"{zero}-{kind}", zero, kind, ranks) for zero, kind, ranks in kinds]
        # What a step takes is the same for every ZeRO stage.
        costs = {case.checkpointing: trace_step(_load(), _cut(case)) for case in cases[:3]}
        pairs = {case.name: (_predicted(case, costs[case.checkpointing]), _measured(case)) for case in cases}
    errors = [abs(predicted - measured) / measured for predicted, measured in pairs.values()]
    figures: dict[str, float | bool | str | None] = {"planner_memory_error": max(errors)}
    for name, (predicted, measured) in pairs.items():
        figures |= {f"planned_mib_{name}": predicted / 2**20, f"measured_mib_{name}": measured / 2**20}
    return figures


def _load() -> TrainingLoad:
    tiny = get_preset("tiny")
    return TrainingLoad(Preset("wide", _WIDE, tiny.vae, tiny.audio_width, tiny.audio_dilations), _SIDE, _SIDE, _FRAMES)


def _cut(case: Case) -> Cut:
    return Cut(case.zero_stage, case.checkpointing, 1, _FP32, _STAGE)


def _predicted(case: Case, cost: StepCost) -> float:
    parameters = count_parameters(_WIDE, _STAGE.train)
    return peak_memory(parameters, cost, _cut(case), case.ranks, fused=torch.cuda.is_available()).peak


def _measured(case: Case) -> float:
    statuses = run_ranks(_train, case, case.ranks, case.folder, timeout_s=300.0)
    if any(statuses):
        raise RuntimeError(f"ranks ended with {statuses}: {(case.folder / 'rank-0.log').read_text()[-2000:]}")
    return float(json.loads((case.folder / "peak.json").read_text()))


def _train(case: Case, rank: int) -> int:
    """Two steps; rank 0 writes its peak."""
    join_ranks()
    changes = {"zero_stage": case.zero_stage, "precision": "float32", "micro_batches": case.ranks}
    training = load_settings({f"training.{name}": value for name, value in changes.items()}).training
    batch = _batch()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        actor = DreamActor(_WIDE)
        actor.dit.checkpointing = case.checkpointing
        objective = FlowObjective(actor, _STAGE.conditions)
        engine = make_engine(objective, training, _STAGE, record=case.folder / "engine.json")
        average = WeightAverage(HeldState(engine), 0.9)
        for step in range(2):
            engine.backward(engine(**batch)["loss"])
            engine.step()
            average.update(step + 1)
    if rank == 0:
        (case.folder / "peak.json").write_text(json.dumps(_peak_bytes(profile)))
    return 0


def _peak_bytes(profile: torch.profiler.profile) -> float:
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated())
    events = profile.profiler.kineto_results.events()
    changes = [(event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"]
    held = peak = 0
    for _, change in sorted(changes, key=lambda entry: entry[0]):
        held += change
        peak = max(peak, held)
    return float(peak)


def _batch() -> Batch:
    config, load = _WIDE, _load()
    grid = (load.height // config.spatial_stride, load.width // config.spatial_stride)
    frames = load.latent_frames
    return {
        "latents_BCFHW": torch.randn(1, config.latent_channels, frames, *grid),
        "noise_BCFHW": torch.randn(1, config.latent_channels, frames, *grid),
        "timestep_B": torch.rand(1),
        "carried_B": torch.zeros(1, dtype=torch.bool),
        "references_BRCHW": torch.randn(1, 1, config.latent_channels, *grid),
        "control_BCTHW": torch.zeros(1, CONTROL_CHANNELS, _FRAMES, _SIDE, _SIDE, dtype=torch.uint8),
        "crops_BTCHW": torch.zeros(1, _FRAMES, 3, FACE_CROP_PX, FACE_CROP_PX, dtype=torch.uint8),
        "weights_BFHW": torch.ones(1, frames, *grid),
        "keep_references_B": torch.ones(1, dtype=torch.bool),
        "keep_pose_B": torch.ones(1, dtype=torch.bool),
        "keep_face_B": torch.ones(1, dtype=torch.bool),
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
