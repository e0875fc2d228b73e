"""What data, logging and the weight average add to a step: the real loop on real clips against a bare loop in memory.

Both are timed by the ends of their optimizer steps, in turns (bare, real, bare), in the median.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.distributed as dist
from dreamactor_core.settings import Settings, load_settings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.ingest import MANIFEST, ingest_videos
from dreamactor_dataset.sampling import WindowSampler
from dreamactor_dataset.shards.pack import INDEX, pack_clips
from dreamactor_dataset.synthetic.synthesize import synthesize
from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.presets import get_preset
from dreamactor_model.training.data.latent_encoding import encode_clips
from dreamactor_model.training.data.latents import LatentClips
from dreamactor_model.training.diffusion.diffusion_stage import DiffusionTask
from dreamactor_model.training.run.engine import join_ranks, make_engine
from dreamactor_model.training.run.journal import Journal
from dreamactor_model.training.run.loop import TrainingLoop
from dreamactor_model.training.spec import ENGINE, JOURNAL, TrainingSpec
from dreamactor_model.vae import VideoVAE

from benchmarks.training_parts.ranks import alone

_STEPS = 12


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`step_overhead`: of wall time; `step_overhead_cpu` of all threads' processor time, as where cores are few."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        alone()
        join_ranks()
        steps = max(5, round(_STEPS * scale))
        settings = load_settings(_changes(steps))
        task, spec = _task(Path(folder), settings)
        engine = make_engine(task.module, settings.training, settings.training.stage3, record=Path(folder) / ENGINE)
        bare, real = _timed_both(engine, task, spec, steps)
        dist.destroy_process_group()
        os.chdir(here)
    names = ("step_overhead", "step_overhead_cpu")
    return {name: median(theirs) / median(ours) - 1 for name, theirs, ours in zip(names, real, bare, strict=True)}


def _changes(steps: int) -> dict[str, Any]:
    return {
        "dataset.synthetic.people": 2,
        "dataset.synthetic.clips": 2,
        "dataset.synthetic.frames": 33,
        "dataset.synthetic.size": 128,
        "dataset.synthetic.processes": 1,
        "dataset.ingest.val_share": 0.0,
        "dataset.ingest.test_share": 0.0,
        # There is no params.yaml in the temporary folder: what is tiny is said here.
        "dataset.sampling.area": 128 * 128,
        # One length, so that steps can be compared.
        "dataset.sampling.min_frames": 33,
        "dataset.sampling.max_frames": 33,
        "dataset.sampling.min_references": 1,
        "dataset.sampling.max_references": 1,
        "training.stage3.steps": steps,
        "training.stage3.warmup_steps": 0,
        "training.micro_batches": 1,
        "training.log_every": 1,
        "training.checkpoint_every": 10_000,
    }


def _task(folder: Path, settings: Settings) -> tuple[DiffusionTask, TrainingSpec]:
    """Synthetic clips with their true tracks, encoded by a VAE that has learnt nothing."""
    synthesize(folder / "raw", settings.dataset.synthetic)
    ingest_videos(str(folder / "raw"), folder / "clips", settings.dataset.ingest)
    sampling, training = settings.dataset.sampling, settings.training
    pack_clips(folder / "clips" / MANIFEST, folder / "shards", settings.dataset.shards, area=sampling.area)
    index, vae_folder = folder / "shards" / INDEX, Path(training.models_dir) / "vae"
    torch.manual_seed(0)
    save_checkpoint(VideoVAE(get_preset("tiny").vae), vae_folder, about={})
    encode_clips(settings, index)
    spec = TrainingSpec(
        stage="3",
        settings=settings.model_dump(mode="json"),
        manifest=index,
        starts_from={},
        work_dir=folder / "work",
        output=folder / "weights",
        configuration="overhead",
        without_data="overhead",
        checkpoint=None,
    )
    spec.work_dir.mkdir()
    clips = ClipSet.load(index, "train", sampling, settings.dataset.balance)
    sampler = WindowSampler(clips.table, sampling, seed=0, batch_size=training.stage3.batch)
    config = get_preset("tiny").actor
    latents = LatentClips(Path(training.latents_dir), clips, vae_folder, warps=config.reference_warp)
    return DiffusionTask(DreamActor(config), vae_folder, clips, sampler, latents, spec), spec


def _timed_both(
    engine: Any, task: DiffusionTask, spec: TrainingSpec, steps: int
) -> tuple[tuple[list[float], ...], tuple[list[float], ...]]:
    """Wall and processor seconds between optimizer steps: of the bare loop, of the real one."""
    stamps: list[tuple[float, float]] = []
    step = engine.step

    def stamped() -> None:
        step()
        stamps.append((time.perf_counter(), time.process_time()))

    engine.step = stamped
    batches = [task.batch(number, 0) for number in range(4)]

    def bare() -> None:
        for number in range(steps):
            engine.backward(engine(**batches[number % len(batches)])["loss"])
            engine.step()

    def real() -> None:
        journal = Journal(spec.work_dir / JOURNAL, title="overhead", steps=steps)
        TrainingLoop(spec, task, engine, journal).run()

    before = _periods(bare, stamps)
    between = _periods(real, stamps)
    after = _periods(bare, stamps)
    return tuple(a + b for a, b in zip(before, after, strict=True)), between


def _periods(run: Callable[[], None], stamps: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Of the steps after the second: the first ones warm up."""
    stamps.clear()
    run()
    late = stamps[2:]
    wall, processor = ([later[clock] - earlier[clock] for earlier, later in pairwise(late)] for clock in (0, 1))
    return wall, processor


if __name__ == "__main__":
    print(json.dumps(measure()))
