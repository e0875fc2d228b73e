"""How long a save keeps the training waiting, against a plain synchronous save of the same state.

The plain ones are two: DeepSpeed's own `save_checkpoint`, and ours waited for to its end (hashes, fsync, commit).
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from dreamactor_model.training.checkpoints.fragments import MOMENTS, HeldState
from dreamactor_model.training.checkpoints.saver import CheckpointSaver
from dreamactor_model.training.run.ema import WeightAverage
from dreamactor_model.training.run.engine import join_ranks, make_engine
from dreamactor_model.training.spec import ENGINE

from benchmarks.training_parts.cached import CachedRun, CachedTask
from benchmarks.training_parts.ranks import alone

_ROUNDS = 9


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`save_block_ratio`: blocked by a save / the quicker of the plain ones; medians of interleaved rounds."""
    with tempfile.TemporaryDirectory() as folder:
        alone()
        join_ranks()
        training = CachedRun(Path(folder), steps=10).settings().training
        task = CachedTask()
        engine = make_engine(task.module, training, training.stage3, record=Path(folder) / ENGINE)
        for slot in range(training.micro_batches):
            engine.backward(engine(**task.batch(0, slot))["loss"])
            engine.step()
        times = _times(Path(folder), engine, rounds=max(3, round(_ROUNDS * scale)))
        torch.distributed.destroy_process_group()
    plain_s = min(times["waited_for"], times["deepspeed"])
    return {
        "save_block_ratio": times["blocked"] / plain_s,
        "save_blocked_s": times["blocked"],
        "save_synchronous_s": times["waited_for"],
        "save_deepspeed_s": times["deepspeed"],
        "save_parameters": float(sum(parameter.numel() for parameter in task.module.parameters())),
    }


def _times(folder: Path, engine: object, rounds: int) -> dict[str, float]:
    held = HeldState(engine)
    average = WeightAverage(held, 0.99)
    kinds = {"weights": held.weights, "averages": average.flats, **{name: held.moments(name) for name in MOMENTS}}
    saver = CheckpointSaver(folder / "ours", held.written, rank=0, world=1, keep_last=2, keep_every=None)
    seconds: dict[str, list[float]] = {"blocked": [], "waited_for": [], "deepspeed": []}
    for turn in range(rounds + 1):
        began = time.perf_counter()
        saver.save(turn, kinds, {"step": turn})
        blocked_s = time.perf_counter() - began
        saver.wait()
        waited_s = time.perf_counter() - began
        if saver.failure is not None:
            raise saver.failure
        deepspeed_s = _timed(lambda: engine.save_checkpoint(str(folder / "theirs"), tag="plain"))  # type: ignore[attr-defined]
        # The first turn makes room aside once for all.
        if turn:
            for name, value in zip(seconds, (blocked_s, waited_s, deepspeed_s), strict=True):
                seconds[name].append(value)
    return {name: median(values) for name, values in seconds.items()}


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(measure()))
