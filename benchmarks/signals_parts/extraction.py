"""How fast clips become tracks, stage by stage and end to end, and whether memory stays flat over a long video.

End to end: a manifest of real clips, faces and whole bodies, through `dreamactor signals extract` with two processes,
their start included. Long video: 5,000 frames, a real clip played to and fro, tracked in a process of its own whose
memory (its decoder's too) is sampled all along.

    python -m benchmarks.signals_parts.extraction
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
from dreamactor_core.files import sha256_file
from dreamactor_core.footage import footage
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.video import VideoWriter, open_video, read_frames
from dreamactor_signals.extraction import extract_manifest
from dreamactor_signals.trackers.embedded.body import BodyNetworks, BodyReader
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip import assemble
from dreamactor_signals.trackers.embedded.face import FaceNetworks, FaceReader
from dreamactor_signals.trackers.embedded.hands import HandNetworks, HandsReader
from dreamactor_signals.trackers.embedded.readings import FrameReading
from dreamactor_signals.trackers.people import People

_PIECES = ("talking-head", "smiling-man", "two-people", "studio-1", "studio-3", "studio-4")
_STAGE_PIECES = ("talking-head", "studio-1")
_LONG_FRAMES = 5000
_WARM_FRAMES = 250
_SAMPLE_EVERY = 25


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Rates in frames a second, stages in milliseconds a frame, memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        figures = _long_video(Path(folder), max(int(scale * _LONG_FRAMES), 2 * _WARM_FRAMES))
        figures |= _manifest(Path(folder), scale)
    for piece in _STAGE_PIECES:
        figures |= {f"stage_{stage}_ms_{piece}": value for stage, value in _stages(piece, scale).items()}
    return figures


def _long_video(folder: Path, frame_count: int) -> dict[str, float | bool | str | None]:
    """Track a long video in a fresh process: what this one used before must not hide what the tracking adds."""
    source = read_frames(footage("talking-head"))
    to_and_fro = np.concatenate([np.arange(len(source)), np.arange(len(source) - 2, 0, -1)])
    video = folder / "long.mp4"
    with VideoWriter(video, _info_fps(footage("talking-head")), size=(source.shape[2], source.shape[1])) as writer:
        for frame in islice(_cycle(to_and_fro), frame_count):
            writer.write(source[frame])
    command = [sys.executable, "-m", "benchmarks.signals_parts.extraction", "--long", str(video)]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def _cycle(order: np.ndarray) -> Iterator[int]:
    while True:
        yield from order.tolist()


def _info_fps(video: Path) -> Fraction:
    with open_video(video) as reader:
        return reader.info.fps


def _track_long(video: Path) -> dict[str, float]:
    """The growth of this process and its children from the first warm frames to the end of the track."""
    from dreamactor_signals.trackers import make_tracker

    process = psutil.Process()
    samples: list[tuple[float, float]] = []

    def watched(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for index, frame in enumerate(frames):
            if index % _SAMPLE_EVERY == 0:
                samples.append((process.memory_info().rss / 2**20, _children_mib(process)))
            yield frame

    with open_video(video) as reader:
        start = time.perf_counter()
        size = (reader.info.width, reader.info.height)
        track = make_tracker(SignalsSettings()).track(watched(iter(reader)), reader.info.fps, size, "")
        wall_s = time.perf_counter() - start
    own, children = np.array(samples).T
    warm = _WARM_FRAMES // _SAMPLE_EVERY
    # The clip is put together after the last sample: the peak that the system remembers knows of that too.
    own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    growth = own_peak - own[warm] + max(children[warm:].max() - children[warm], 0.0)
    return {
        "rss_growth_mb": float(growth),
        "rss_warm_mb": float(own[warm] + children[warm]),
        "rss_peak_own_mb": own_peak,
        "long_video_frames": float(len(track)),
        "long_video_fps": len(track) / wall_s,
    }


def _children_mib(process: psutil.Process) -> float:
    """The decoder's memory."""
    total = 0
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def _manifest(folder: Path, scale: float) -> dict[str, float | bool | str | None]:
    pieces = _PIECES[: max(2, round(scale * len(_PIECES)))]
    rows = [_row(name, folder) for name in pieces]
    write_manifest(folder / "in.parquet", rows)
    frames = sum(row.frame_count for row in rows)
    figures: dict[str, float | bool | str | None] = {"extract_frames": float(frames)}
    for processes, key in ((1, "extract_fps_one_process"), (2, "extract_fps")):
        start = time.perf_counter()
        made = extract_manifest(
            folder / "in.parquet", folder / f"out-{processes}", SignalsSettings(processes=processes)
        )
        figures[key] = frames / (time.perf_counter() - start)
        assert made is not None
        assert all(row.status == "kept" for row in read_manifest(made))
    return figures


def _row(name: str, folder: Path) -> ClipRow:
    video = footage(name)
    with open_video(video) as reader:
        info = reader.info
    return ClipRow(
        clip_id=name, video=os.path.relpath(video, folder), sha256=sha256_file(video), width=info.width,
        height=info.height, fps_num=info.fps.numerator, fps_den=info.fps.denominator, frame_count=info.frame_count,
        source="benchmark", identity=name, category="real", licence=None, consent=None, split="test", synthetic=False,
    )  # fmt: skip


def _stages(piece: str, scale: float) -> dict[str, float]:
    """Milliseconds a frame of each stage, one thread."""
    settings = SignalsSettings()
    spent: dict[str, float] = defaultdict(float)
    with open_video(footage(piece)) as reader:
        size = (reader.info.width, reader.info.height)
        camera = Camera.assumed(size, settings.field_of_view_deg)
        threads, score = settings.threads, settings.min_score
        body = BodyReader(BodyNetworks(threads=threads, min_score=score), People.of(settings))
        hands, face = (
            HandsReader(HandNetworks(threads=threads, min_score=score)),
            FaceReader(FaceNetworks(threads=threads, min_score=score), camera),
        )
        readings = []
        last = time.perf_counter()

        def lap(stage: str) -> None:
            nonlocal last
            now = time.perf_counter()
            spent[stage] += now - last
            last = now

        for frame in islice(reader, max(int(100 * scale), 20)):
            lap("decode")
            body_reading = body.read(frame)
            lap("body")
            hand_readings = hands.read(frame, body_reading)
            lap("hands")
            face_reading = face.read(frame, body_reading)
            lap("face")
            readings.append(FrameReading(body_reading, hand_readings["left"], hand_readings["right"], face_reading))
            last = time.perf_counter()
        assemble(readings, camera, reader.info.fps, size, settings, trackers={}, source_sha256="")
        lap("assemble")
    return {stage: 1e3 * seconds / len(readings) for stage, seconds in spent.items()}


if __name__ == "__main__":
    answer = _track_long(Path(sys.argv[2])) if sys.argv[1:2] == ["--long"] else measure()
    sys.stdout.write(json.dumps(answer) + "\n")
