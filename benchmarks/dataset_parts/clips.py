"""Random windows of random clips: ours from shards, decord's from the source files, at one output size.

The sources are filmed people as they came from the camera, and the same at 720p with a key frame every two seconds;
the output has the area of training. Frames per second of processor time, medians of rounds in turns.

    python -m benchmarks.dataset_parts.clips
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from dreamactor_core.footage import footage
from dreamactor_core.manifest import write_manifest
from dreamactor_core.settings.dataset import SamplingDataSettings, ShardsSettings
from dreamactor_core.video import probe, read_frames
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.shards.pack import pack_clips

from benchmarks.dataset_parts.made_up import encode_source, manifest_row

_PIECES = ("studio-3", "studio-4")
_SAMPLING = SamplingDataSettings(area=576 * 1024)
_SMALL = (720, 1280)
_CLIP_FRAMES, _WINDOW = 97, 33
_ROUNDS, _WINDOWS_A_ROUND = 5, 3

Window = tuple[int, int]


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Frames per processor second of both, their ratio, and what the shards cost on disk."""
    cv2.setNumThreads(1)
    rounds = max(3, round(scale * _ROUNDS))
    with tempfile.TemporaryDirectory() as name:
        filmed = [_copied(Path(name) / "filmed", piece) for piece in _PIECES]
        small = [_at_720p(Path(name) / "small", piece) for piece in _PIECES]
        camera, delivered = (_measure(videos, rounds) for videos in (filmed, small))
    return {
        "shard_clip_ratio": camera["fps"] / camera["decord_fps"],
        "shard_clip_ratio_720p": delivered["fps"] / delivered["decord_fps"],
        **{f"shard_clip_{key}": value for key, value in camera.items()},
        **{f"shard_clip_{key}_720p": value for key, value in delivered.items()},
    }


def _copied(folder: Path, piece: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{piece}.mp4"
    shutil.copyfile(footage(piece), path)
    return path


def _at_720p(folder: Path, piece: str) -> Path:
    folder.mkdir(exist_ok=True)
    frames = read_frames(footage(piece), range(_CLIP_FRAMES))
    path = folder / f"{piece}.mp4"
    encode_source(path, (cv2.resize(frame, _SMALL, interpolation=cv2.INTER_AREA) for frame in frames), _SMALL)
    return path


def _measure(videos: Sequence[Path], rounds: int) -> dict[str, float]:
    folder = videos[0].parent
    infos = [probe(video) for video in videos]
    rows = [
        manifest_row(video, info.frame_count, (info.width, info.height))
        for video, info in zip(videos, infos, strict=True)
    ]
    write_manifest(folder / "manifest.parquet", rows)
    index = pack_clips(folder / "manifest.parquet", folder / "shards", ShardsSettings(), area=_SAMPLING.area)
    clips = ClipSet.load(index, "train", _SAMPLING)
    rates, gap_db = _compare(clips, [folder / row.video for row in clips.rows], rounds)
    stored = sum(path.stat().st_size for path in index.parent.glob("*.tar"))
    return {
        "fps": rates["shards"],
        "decord_fps": rates["decord"],
        "kb_per_frame": stored / sum(info.frame_count for info in infos) / 1000,
        "decord_psnr_db": gap_db,
    }


def _compare(clips: ClipSet, videos: Sequence[Path], rounds: int) -> tuple[dict[str, float], float]:
    def ours(window: Window) -> np.ndarray:
        return clips.frames(window[0], range(window[1], window[1] + _WINDOW))

    def decord(window: Window) -> np.ndarray:
        return _decord(videos[window[0]], window[1], clips.table.size(window[0]))

    readers: dict[str, Callable[[Window], np.ndarray]] = {"shards": ours, "decord": decord}
    rng = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for turn in range(rounds + 1):
        windows = [
            (int(rng.integers(len(clips))), int(rng.integers(_CLIP_FRAMES - _WINDOW))) for _ in range(_WINDOWS_A_ROUND)
        ]
        for name, read in readers.items():
            start = time.process_time()
            for window in windows:
                read(window)
            if turn:
                seconds[name].append(time.process_time() - start)
    rates = {name: _WINDOW * _WINDOWS_A_ROUND / median(spent) for name, spent in seconds.items()}
    error = ours(windows[0]).astype(float) - decord(windows[0])
    return rates, float(10 * np.log10(255**2 / np.mean(error**2)))


def _decord(video: Path, start: int, size: tuple[int, int]) -> np.ndarray:
    import decord

    reader = decord.VideoReader(str(video), width=size[0], height=size[1], num_threads=1)
    frames: np.ndarray = reader.get_batch(range(start, start + _WINDOW)).asnumpy()
    return frames


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
