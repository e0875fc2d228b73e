"""A batch of 200 jobs of the tiny preset, every tenth of them bad: what is done, what is explained, what memory does.

The weights are untrained, which costs the same; videos have 5 frames and 1 solver step. Bad are, in turns: a missing
reference, a driving video that is none, a job without consent. The first fifth of the jobs warms up; memory is that of
this process, the median of the last fifth over that of the second.

    python -m benchmarks.evaluation_parts.batch
"""

import csv
import json
import os
from collections import Counter
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
import torch
from dreamactor_core.footage import footage
from dreamactor_core.provenance.verification import verify_video
from dreamactor_core.settings import load_settings
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.animator import Animator
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.batch.batch import Batch
from dreamactor_model.batch.jobs import read_jobs
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.presets import get_preset
from dreamactor_model.training.finished import VAE_FOLDER, save_finished
from dreamactor_model.vae import VideoVAE

_JOBS, _EVERY_BAD = 200, 10
_COLUMNS = ("reference", "driving", "consent", "seed", "steps", "max_frames")


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`batch_memory_growth_mb` and `batch_bad_jobs_explained`."""
    count = max(20, round(_JOBS * scale))
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = load_settings({"provenance.own_dir": str(folder / "identity"), "model.device": "cpu"})
        table = read_jobs(_write_table(folder, count))
        loads = 0
        whole = LoadedModel.load

        def counted(*arguments: object) -> LoadedModel:
            nonlocal loads
            loads += 1
            return whole(*arguments)  # type: ignore[arg-type]

        LoadedModel.load = counted  # type: ignore[method-assign, assignment]
        batch = Batch(Animator.from_checkpoint(untrained_model(folder), settings), "untrained", folder)
        process, memory_mb, outcomes = psutil.Process(os.getpid()), [], []
        for row in table.rows:
            outcomes.append(batch.run(row))
            memory_mb.append(process.memory_info().rss / 2**20)
        good = [outcome for number, outcome in enumerate(outcomes) if number % _EVERY_BAD]
        bad = outcomes[::_EVERY_BAD]
        verified = sum(bool(verify_video(Path(outcome.output)).record) for outcome in good if outcome.there)
    fifth = count // 5
    return {
        "batch_memory_growth_mb": median(memory_mb[-fifth:]) - median(memory_mb[fifth : 2 * fifth]),
        "batch_bad_jobs_explained": all(outcome.reason and not outcome.there for outcome in bad)
        and all(outcome.status == "done" for outcome in good),
        "batch_verified": float(verified),
        "batch_model_loads": float(loads),
        "batch_outcomes": json.dumps(Counter(outcome.status for outcome in outcomes)),
        "batch_s_per_job": median(outcome.seconds for outcome in good),
    }


def _write_table(folder: Path, count: int) -> Path:
    (folder / "text.mp4").write_text("not a video")
    good = {"reference": footage("astronaut"), "driving": footage("talking-head"), "consent": "public domain"}
    bad = ({"reference": "missing.png"}, {"driving": "text.mp4"}, {"consent": ""})
    path = folder / "jobs.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, fieldnames=_COLUMNS)
        table.writeheader()
        for number in range(count):
            wrong = {} if number % _EVERY_BAD else bad[number // _EVERY_BAD % len(bad)]
            table.writerow(good | wrong | {"seed": number, "steps": 1, "max_frames": 5})
    return path


def untrained_model(folder: Path) -> Path:
    """A model of the tiny preset that has learned nothing, as a finished stage in `folder`/model."""
    torch.manual_seed(0)
    preset = get_preset("tiny")
    save_checkpoint(VideoVAE(preset.vae), folder / VAE_FOLDER, about={})
    about = {"stage": "3", "steps": 0, "preset": "tiny", "area": 64 * 64, "max_references": 2}
    save_finished(DreamActor(preset.actor), folder / VAE_FOLDER, folder / "model", about=about)
    return folder / "model"


if __name__ == "__main__":
    print(json.dumps(measure()))
