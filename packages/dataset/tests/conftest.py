"""People and videos that the dataset tests share."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, joint_index
from dreamactor_core.video import VideoWriter, probe

# A person of 1.7 m who stands upright; metres from the pelvis, x to the image's right, y down.
_STANDING_M = {
    "neck": (0, -0.5),
    "left_shoulder": (0.2, -0.5),
    "left_elbow": (0.25, -0.2),
    "left_wrist": (0.25, 0.05),
    "right_shoulder": (-0.2, -0.5),
    "right_elbow": (-0.25, -0.2),
    "right_wrist": (-0.25, 0.05),
    "left_hip": (0.1, 0),
    "left_knee": (0.1, 0.45),
    "left_ankle": (0.1, 0.85),
    "left_heel": (0.1, 0.9),
    "left_toe": (0.15, 0.9),
    "right_hip": (-0.1, 0),
    "right_knee": (-0.1, 0.45),
    "right_ankle": (-0.1, 0.85),
    "right_heel": (-0.1, 0.9),
    "right_toe": (-0.15, 0.9),
}


def _turn(yaw_rad: np.ndarray) -> np.ndarray:
    """(T, 3, 3) head rotations about the vertical."""
    cos, sin, zero, one = np.cos(yaw_rad), np.sin(yaw_rad), np.zeros_like(yaw_rad), np.ones_like(yaw_rad)
    # Yaw is positive when the nose (-z) points to the image's right.
    rows = [[cos, zero, -sin], [zero, one, zero], [sin, zero, cos]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _standing_person(
    frame_count: int,
    *,
    size: tuple[int, int] = (96, 160),
    yaw_rad: np.ndarray | None = None,
    depth_m: float = 4.0,
    pelvis_x_m: float = 0.0,
) -> MotionTrack:
    width, height = size
    yaw_rad = np.linspace(-1, 1, frame_count) if yaw_rad is None else yaw_rad
    joints_m = np.tile(np.array([pelvis_x_m, 0.0, depth_m]), (frame_count, JOINT_COUNT, 1))
    confidence = np.zeros((frame_count, JOINT_COUNT))
    confidence[:, joint_index("pelvis")] = 1
    for name, (x_m, y_m) in _STANDING_M.items():
        joints_m[:, joint_index(name), :2] += (x_m, y_m)
        confidence[:, joint_index(name)] = 1
    head_m = np.tile(np.array([pelvis_x_m, -0.7, depth_m]), (frame_count, 1))
    focal_px = height * depth_m / 2
    principal_px = np.array([width / 2, height / 2])
    face_px = head_m[:, :2] / depth_m * focal_px + principal_px
    half_px = 0.1 / depth_m * focal_px
    return MotionTrack(
        joints_cam_m=joints_m,
        joint_confidence=confidence,
        focal_px=focal_px,
        principal_px=principal_px,
        frame_size=size,
        fps=Fraction(25),
        head_rotation=_turn(yaw_rad),
        head_center_cam_m=head_m,
        head_radius_m=np.full(frame_count, 0.1),
        head_confidence=np.ones(frame_count),
        face_boxes_px=np.concatenate([face_px - half_px, face_px + half_px], axis=1),
        face_confidence=np.ones(frame_count),
        face_units=np.tile(np.linspace(0, 1, frame_count)[:, None], (1, len(ARKIT_UNITS))),
    )


@pytest.fixture(scope="session")
def standing_person() -> Callable[..., MotionTrack]:
    """standing_person(frame_count, size=, yaw_rad=, depth_m=, pelvis_x_m=): head to toe in frame, the head turning."""
    return _standing_person


def _write_clip(path: Path, frame_count: int, *, size: tuple[int, int] = (96, 160), shade: int = 0) -> Path:
    width, height = size
    face_rows = slice(height // 2 - int(0.4 * height), height // 2 - int(0.3 * height))
    face_columns = slice(width // 2 - 8, width // 2 + 8)
    # Clips of other shades move otherwise: else they would be copies of one clip in other colours.
    places = np.random.default_rng(shade).integers(0, width - 16, frame_count)
    with VideoWriter(path, Fraction(25), size=size, crf=1) as writer:
        for index, place in enumerate(places):
            frame = np.full((height, width, 3), (8 * index, shade, 60), np.uint8)
            # A red face where the standing person has it, and a jumping square.
            frame[face_rows, face_columns] = (250, 0, 0)
            frame[height - 20 : height - 4, place : place + 16] = 255
            writer.write(frame)
    return path


@pytest.fixture(scope="session")
def write_clip() -> Callable[..., Path]:
    """write_clip(path, frame_count, size=, shade=): the red level of frame i is 8 i; equal shades give equal bytes."""
    return _write_clip


def _clip_row(video: Path, **changes: object) -> ClipRow:
    info = probe(video)
    values = {
        "clip_id": video.stem,
        "video": video.name,
        "sha256": sha256_file(video),
        "width": info.width,
        "height": info.height,
        "fps_num": info.fps.numerator,
        "fps_den": info.fps.denominator,
        "frame_count": info.frame_count,
        "source": "made up",
        "identity": video.stem,
        "category": "standing",
        "licence": "CC0-1.0",
        "consent": "given",
        "split": "train",
        "synthetic": True,
    }
    return ClipRow.model_validate(values | changes)


@pytest.fixture(scope="session")
def clip_row() -> Callable[..., ClipRow]:
    """clip_row(video, **fields): the row of a video for a manifest in its folder."""
    return _clip_row
