"""A tiny data set that the training and evaluation tests share: moving squares with the track of a standing person."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow, Split, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.video import VideoWriter
from swaying_person import SIDE, person_track

FRAMES = 29


def _write_clip(folder: Path, name: str, split: Split, phase: float, shade: int) -> ClipRow:
    track = person_track(FRAMES, phase)
    video, track_path = folder / f"{name}.mp4", folder / f"{name}.safetensors"
    track.save(track_path)
    with VideoWriter(video, Fraction(25), size=(SIDE, SIDE), crf=1) as writer:
        for x0, y0, x1, y1 in track.face_boxes_px.round().astype(int):
            frame = np.full((SIDE, SIDE, 3), (40, shade, 90), np.uint8)
            frame[y0:y1, x0:x1] = (230, 180, shade)
            writer.write(frame)
    return ClipRow(
        clip_id=name,
        video=video.name,
        sha256=sha256_file(video),
        width=SIDE,
        height=SIDE,
        fps_num=25,
        fps_den=1,
        frame_count=FRAMES,
        source="test",
        identity=f"person-{shade}",
        category="test",
        licence="CC0",
        consent="none needed",
        split=split,
        synthetic=True,
        track=track_path.name,
        framing="portrait",
    )


@pytest.fixture(scope="session", autouse=True)
def _signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Videos of tests are signed by nobody's identity."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DREAMACTOR_PROVENANCE__OWN_DIR", str(tmp_path_factory.mktemp("identity")))
        yield


@pytest.fixture(scope="session")
def clip_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four training clips and one test clip of 64 x 64 pixels and 29 frames; returns the manifest."""
    folder = tmp_path_factory.mktemp("clips")
    rows = [_write_clip(folder, f"train-{index}", "train", index, 40 + 50 * index) for index in range(4)]
    rows.append(_write_clip(folder, "test-0", "test", 0.5, 120))
    manifest = folder / "manifest.parquet"
    write_manifest(manifest, rows)
    return manifest


@pytest.fixture
def person() -> MotionTrack:
    """29 frames of 64 x 64 pixels."""
    return person_track(FRAMES)
