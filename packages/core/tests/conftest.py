"""Motion tracks and videos that the core tests share."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT
from dreamactor_core.video import VideoWriter


def _random_track(frame_count: int, seed: int = 0, *, units: bool = True, tokens: int | None = None) -> MotionTrack:
    rng = np.random.default_rng(seed)
    return MotionTrack(
        joints_cam_m=rng.normal(loc=(0, 0, 4), size=(frame_count, JOINT_COUNT, 3)),
        joint_confidence=rng.random((frame_count, JOINT_COUNT)),
        focal_px=float(rng.uniform(100, 2000)),
        principal_px=rng.uniform(0, 500, 2),
        frame_size=(int(rng.integers(16, 2000)), int(rng.integers(16, 2000))),
        fps=Fraction(30000, 1001),
        head_rotation=np.tile(np.eye(3), (frame_count, 1, 1)),
        head_center_cam_m=rng.normal(size=(frame_count, 3)),
        head_radius_m=rng.uniform(0.08, 0.12, frame_count),
        head_confidence=rng.random(frame_count),
        face_boxes_px=rng.uniform(0, 100, (frame_count, 4)),
        face_confidence=rng.random(frame_count),
        trackers={"made": "up"},
        source_sha256="0" * 64,
        face_units=rng.random((frame_count, len(ARKIT_UNITS))) if units else None,
        face_tokens=None if tokens is None else rng.normal(size=(frame_count, tokens)),
    )


@pytest.fixture(scope="session")
def random_track() -> Callable[..., MotionTrack]:
    """random_track(frame_count, seed, units=, tokens=): a valid track of random numbers."""
    return _random_track


@pytest.fixture(scope="session")
def small_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames of 64x48; frame i is grey of level 10 i with a white square moving right."""
    path = tmp_path_factory.mktemp("video") / "small.mp4"
    with VideoWriter(path, Fraction(25), size=(64, 48)) as writer:
        for index in range(20):
            frame = np.full((48, 64, 3), 10 * index, np.uint8)
            frame[20:28, 2 * index : 2 * index + 8] = 255
            writer.write(frame)
    return path
