"""Latents of 73 frames of 960x640, 5.8 MB each: ours by random access, webdataset in the order of its tar.

Both hand over one float16 array a sample; ours has been checked against its checksums on the way. Samples per second of
processor time, medians of rounds in turns.

    python -m benchmarks.dataset_parts.latents
"""

import importlib.util
import io
import json
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from dreamactor_dataset.shards.archive import ShardReader, write_shard
from dreamactor_dataset.shards.record import pack_record

# Latent frames, channels, rows, columns.
_SHAPE = (19, 16, 80, 120)
_SAMPLES, _ROUNDS = 48, 9
_SHARD = "train-00000.tar"


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Samples per processor second of both, and their ratio."""
    if importlib.util.find_spec("webdataset") is None:
        return {"latent_ratio": None, "latent_ratio_why": "webdataset is not installed: pip install webdataset==1.0.2"}
    samples = max(8, round(scale * _SAMPLES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        latents = np.random.default_rng(0).normal(size=_SHAPE).astype(np.float16)
        records = ((f"clip-{number}", pack_record({"latents": latents}, {})) for number in range(samples))
        places, _ = write_shard(folder / _SHARD, records)
        reader = ShardReader(folder, (_SHARD,))
        _write_webdataset(folder / "web.tar", latents, samples)
        rng = np.random.default_rng(1)

        def ours() -> Iterator[np.ndarray]:
            for number in rng.permutation(samples):
                clip_id = f"clip-{number}"
                yield reader.record(0, places[clip_id], clip_id).rows("latents")

        rates = _rates({"ours": ours, "webdataset": lambda: _webdataset(folder / "web.tar")}, samples, latents)
    return {
        "latent_ratio": rates["ours"] / rates["webdataset"],
        "latent_samples_per_s": rates["ours"],
        "webdataset_samples_per_s": rates["webdataset"],
    }


def _rates(
    readers: dict[str, Callable[[], Iterator[np.ndarray]]], samples: int, expected: np.ndarray
) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for turn in range(_ROUNDS + 1):
        for name, read in readers.items():
            start = time.process_time()
            count = sum(array.shape == expected.shape and array.dtype == expected.dtype for array in read())
            spent = time.process_time() - start
            assert count == samples
            if turn:
                seconds[name].append(spent)
    return {name: samples / median(spent) for name, spent in seconds.items()}


def _write_webdataset(path: Path, latents: np.ndarray, samples: int) -> None:
    data = io.BytesIO()
    np.save(data, latents)
    with tarfile.open(path, "w") as archive:
        for number in range(samples):
            member = tarfile.TarInfo(f"clip-{number}.npy")
            member.size = data.getbuffer().nbytes
            data.seek(0)
            archive.addfile(member, data)


def _webdataset(path: Path) -> Iterator[np.ndarray]:
    import webdataset

    for sample in webdataset.WebDataset(str(path), shardshuffle=False).decode():
        yield sample["npy"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
