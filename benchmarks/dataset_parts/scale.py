"""A manifest of 500 hours, 200,000 clips: read, split, balanced and planned into batches, in a process of its own.

python -m benchmarks.dataset_parts.scale
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
from dreamactor_core.manifest import read_manifest_table
from dreamactor_core.settings.dataset import BalanceSettings, SamplingDataSettings
from dreamactor_dataset.balance.weights import stratum_weights
from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.fitting import bucket_size
from dreamactor_dataset.ingest.splits import SplitShares, Ties, assign_splits
from dreamactor_dataset.sampling import WindowSampler
from dreamactor_dataset.shards.index import find_strata

from benchmarks.dataset_parts.simulated import simulated_manifest, simulated_table

_CLIPS = 200_000
_SETTINGS = SamplingDataSettings()
_SHARES = SplitShares(val=0.05, test=0.05)


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Seconds and peak memory of the plan, and what is drawn of a set of which a tenth shows whole bodies."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.parquet"
        pyarrow.parquet.write_table(simulated_manifest(round(scale * _CLIPS)), manifest)
        finished = subprocess.run(
            [sys.executable, "-m", "benchmarks.dataset_parts.scale", "--plan", str(manifest)],
            check=True,
            stdout=subprocess.PIPE,
        )
    return json.loads(finished.stdout.splitlines()[-1]) | _drawn_share(max(2000, round(scale * 20_000)))


def _plan(manifest: Path) -> dict[str, float]:
    start = time.perf_counter()
    rows = read_manifest_table(manifest)
    names = [rows[name].to_pylist() for name in ("identity", "source_video", "perceptual_group")]
    splits = assign_splits([Ties(*each) for each in zip(*names, strict=True)], _SHARES)
    train = rows.filter(pyarrow.array(np.array(splits) == "train"))
    table = _table(train)
    sampler = WindowSampler(table, _SETTINGS, seed=0, batch_size=1)
    sampler.batch(0)
    return {
        "plan_500h_s": time.perf_counter() - start,
        "plan_500h_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "plan_clips": float(len(rows)),
        "plan_hours": float(np.sum(rows["frame_count"].to_numpy()) / 25 / 3600),
        "plan_train_clips": float(len(table)),
    }


def _table(rows: pyarrow.Table) -> ClipTable:
    """As the index of shards makes it; yaw frames, which come from the tracks, are left out."""
    known, source = np.unique(
        np.stack([rows["width"].to_numpy(), rows["height"].to_numpy()], axis=1), axis=0, return_inverse=True
    )
    sizes = np.array([bucket_size(int(width), int(height), _SETTINGS.area) for width, height in known])
    strata, codes = find_strata(rows)
    clips = len(rows)
    return ClipTable(
        lengths=rows["frame_count"].to_numpy().astype(np.int32),
        buckets=source.astype(np.uint16),
        bucket_sizes=sizes,
        yaw_frames=np.zeros((clips, 3), np.int32),
        full_body=np.zeros(clips, bool),
        has_track=np.ones(clips, bool),
        has_truth=np.zeros(clips, bool),
        strata=codes,
        stratum_weights=stratum_weights(strata, np.bincount(codes), BalanceSettings()),
    )


def _drawn_share(clips: int) -> dict[str, float]:
    from dreamactor_dataset.balance.weights import Stratum

    table = simulated_table(clips, shortest=_SETTINGS.min_frames)
    strata = [Stratum("half", "any", "any"), Stratum("full", "any", "any")]
    weights = stratum_weights(strata, np.bincount(table.strata), BalanceSettings())
    sampler = WindowSampler(replace(table, stratum_weights=weights), _SETTINGS, seed=0, batch_size=1)
    shown = [draw.clip_index for number in range(sampler.batches_per_epoch) for draw in sampler.batch(number)]
    return {
        "full_body_share_of_clips": float(np.mean(table.strata)),
        "full_body_share": float(np.mean(table.strata[shown])),
    }


if __name__ == "__main__":
    answer = _plan(Path(sys.argv[2])) if sys.argv[1:2] == ["--plan"] else measure()
    sys.stdout.write(json.dumps(answer) + "\n")
