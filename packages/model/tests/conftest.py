"""A tiny data set that the training and evaluation tests share: moving squares with the track of a standing person."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow, Split, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT
from dreamactor_core.video import VideoWriter

SIDE = 64
FRAMES = 29


def person_track(frame_count: int, phase: float = 0.0) -> MotionTrack:
    """A made-up performance: all joints sway, the head turns, the face opens and closes."""
    random = np.random.default_rng(7)
    time = np.linspace(0, 2 * np.pi, frame_count) + phase
    joints_m = np.tile(np.array([0, 0, 4]) + random.uniform(-0.6, 0.6, (JOINT_COUNT, 3)), (frame_count, 1, 1))
    joints_m[:, :, 0] += 0.2 * np.sin(time)[:, None]
    head_m = np.tile([0.0, -0.6, 4.0], (frame_count, 1))
    head_m[:, 0] = 0.2 * np.sin(time)
    focal_px, center_px = 2.0 * SIDE, np.array([SIDE / 2, SIDE / 2])
    face_px = head_m[:, :2] / 4 * focal_px + center_px
    return MotionTrack(
        joints_cam_m=joints_m,
        joint_confidence=np.ones((frame_count, JOINT_COUNT)),
        focal_px=focal_px,
        principal_px=center_px,
        frame_size=(SIDE, SIDE),
        fps=Fraction(25),
        head_rotation=np.tile(np.eye(3), (frame_count, 1, 1)),
        head_center_cam_m=head_m,
        head_radius_m=np.full(frame_count, 0.15),
        head_confidence=np.ones(frame_count),
        face_boxes_px=np.concatenate([face_px - 6, face_px + 6], axis=1),
        face_confidence=np.ones(frame_count),
        face_units=np.tile((np.sin(time)[:, None] + 1) / 2, (1, len(ARKIT_UNITS))),
    )


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
