"""What a worker keeps in memory: the index of two million clips, and what twelve epochs of samples leave behind.

Workers are processes of their own, two at a time, as on a node: pages of the mapped index that they share are not
counted (unique set size), nor is what a worker with two thousand clips needs too. The plan of an epoch is made, and
batches are drawn from all over it.

    python -m benchmarks.dataset_parts.memory
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
from dreamactor_core.manifest import write_manifest
from dreamactor_core.settings.dataset import BalanceSettings, SamplingDataSettings, ShardsSettings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.fitting import bucket_size
from dreamactor_dataset.samples import SampleLoader
from dreamactor_dataset.sampling import WindowSampler
from dreamactor_dataset.shards.index import write_index_table
from dreamactor_dataset.shards.pack import pack_clips

from benchmarks.dataset_parts.made_up import encode_source, manifest_row
from benchmarks.dataset_parts.simulated import simulated_manifest

_CLIPS, _FEW_CLIPS, _WORKERS, _DRAWN = 2_000_000, 2_000, 2, 3000
_EPOCHS, _PACKED, _FRAMES, _SIZE = 12, 24, 33, (128, 192)
_INDEX_SETTINGS = SamplingDataSettings()
_SAMPLE_SETTINGS = SamplingDataSettings(max_frames=_FRAMES, area=_SIZE[0] * _SIZE[1])
_MIB = 2**20


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Mebibytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = round(scale * _CLIPS)
        few, many = (_index_memory(folder / f"{count}.arrow", count) for count in (_FEW_CLIPS, clips))
        epochs = json.loads(_start("--epochs", _pack(folder / "packed")).communicate()[0].splitlines()[-1])
    return {
        "index_mb_per_worker": many["unique"] - few["unique"],
        "index_rss_mb_per_worker": many["resident"] - few["resident"],
        "index_clips": float(clips),
        "memory_growth_mb": epochs,
    }


def _index_memory(path: Path, clips: int) -> dict[str, float]:
    """Of the larger one of two workers with an index of so many clips."""
    _write_index(path, clips)
    workers = [_start("--index", path, rank) for rank in range(_WORKERS)]
    # Both hold their index until both have measured: what they share has to be shared.
    for worker in workers:
        _read_line(worker)
    for worker in workers:
        _write_line(worker)
    found = [json.loads(_read_line(worker)) for worker in workers]
    for worker in workers:
        worker.communicate("end\n")
    return {name: max(each[name] for each in found) for name in ("unique", "resident")}


def _read_line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline()


def _write_line(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("go on\n")
    worker.stdin.flush()


def _write_index(path: Path, clips: int) -> None:
    rng = np.random.default_rng(0)
    rows = simulated_manifest(clips)
    numbers = np.arange(clips)
    sizes = np.stack([rows["width"].to_numpy(), rows["height"].to_numpy()], axis=1)
    known, which = np.unique(sizes, axis=0, return_inverse=True)
    fitted = np.array([bucket_size(int(width), int(height), _INDEX_SETTINGS.area) for width, height in known])
    columns: dict[str, np.ndarray] = {
        "shard": (numbers // 64).astype(np.int32),
        "offset": numbers % 64 * 10_000_000,
        "size": np.full(clips, 9_999_872),
        "yaw_frames": rng.integers(25, size=(clips, 3)).astype(np.int32),
        "full_body": (rng.random(clips) < 0.5).astype(np.uint8),
    }
    shards = {f"train-{number:05}.tar": "0" * 64 for number in range(clips // 64 + 1)}
    write_index_table(path, rows, columns, fitted[which], _INDEX_SETTINGS.area, shards)


def _start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.dataset_parts.memory", *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _index_worker(index: Path, rank: int) -> None:
    """Draw from all over two epochs, then say how large the process is."""
    clips = ClipSet.load(index, "train", _INDEX_SETTINGS, BalanceSettings())
    sampler = WindowSampler(clips.table, _INDEX_SETTINGS, seed=0, batch_size=1)
    rng = np.random.default_rng(rank)
    for epoch in range(2):
        for number in rng.integers(sampler.batches_per_epoch, size=_DRAWN):
            (draw,) = sampler.batch(epoch * sampler.batches_per_epoch + int(number))
            clips.clip_id(draw.clip_index)
    _say("ready")
    sys.stdin.readline()
    memory = psutil.Process().memory_full_info()
    _say({"unique": memory.uss / _MIB, "resident": memory.rss / _MIB})
    sys.stdin.readline()


def _pack(folder: Path) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(_PACKED):
        video = folder / f"clip-{number:02}.mp4"
        noise = rng.integers(256, size=(_SIZE[1], _SIZE[0], 3), dtype=np.uint8)
        encode_source(video, (np.roll(noise, shift, axis=1) for shift in range(_FRAMES)), _SIZE)
        rows.append(manifest_row(video, _FRAMES, _SIZE))
    write_manifest(folder / "manifest.parquet", rows)
    return pack_clips(folder / "manifest.parquet", folder / "shards", ShardsSettings(), area=_SAMPLE_SETTINGS.area)


def _epochs_worker(index: Path) -> None:
    """The most that was resident after an epoch, less what was after the first."""
    clips = ClipSet.load(index, "train", _SAMPLE_SETTINGS, BalanceSettings())
    sampler = WindowSampler(clips.table, _SAMPLE_SETTINGS, seed=0, batch_size=1)
    loader = SampleLoader(clips, _SAMPLE_SETTINGS)
    process = psutil.Process()
    resident = []
    for epoch in range(_EPOCHS):
        for number in range(sampler.batches_per_epoch):
            for draw in sampler.batch(epoch * sampler.batches_per_epoch + number):
                loader.sample(draw)
        resident.append(process.memory_info().rss / _MIB)
    _say(max(resident) - resident[0])


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--index"]:
        _index_worker(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["--epochs"]:
        _epochs_worker(Path(sys.argv[2]))
    else:
        _say(measure())
