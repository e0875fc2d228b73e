"""Clips to pack that cost little to make: a still person's track over any pictures."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, joint_index

_TORSO_M = {
    "neck": (0.0, -0.5), "left_shoulder": (0.2, -0.5), "right_shoulder": (-0.2, -0.5),
    "left_hip": (0.1, 0.0), "right_hip": (-0.1, 0.0), "left_ankle": (0.1, 0.85), "right_ankle": (-0.1, 0.85),
}  # fmt: skip
_DEPTH_M, _FPS = 4.0, Fraction(25)


def still_track(frame_count: int, size: tuple[int, int]) -> MotionTrack:
    """A person who stands in the middle of the frame, seen from head to ankle."""
    width, height = size
    joints_m = np.tile(np.array([0.0, 0.0, _DEPTH_M]), (frame_count, JOINT_COUNT, 1))
    for name, (x_m, y_m) in _TORSO_M.items():
        joints_m[:, joint_index(name), :2] += (x_m, y_m)
    seen = np.ones(frame_count)
    focal_px = height * _DEPTH_M / 2.5
    half_px = 0.1 / _DEPTH_M * focal_px
    face_px = np.array([width / 2, height / 2 - 0.7 / _DEPTH_M * focal_px])
    return MotionTrack(
        joints_cam_m=joints_m,
        joint_confidence=np.ones((frame_count, JOINT_COUNT)),
        focal_px=focal_px,
        principal_px=np.array([width / 2, height / 2]),
        frame_size=size,
        fps=_FPS,
        head_rotation=np.tile(np.eye(3), (frame_count, 1, 1)),
        head_center_cam_m=np.tile(np.array([0.0, -0.7, _DEPTH_M]), (frame_count, 1)),
        head_radius_m=np.full(frame_count, 0.1),
        head_confidence=seen,
        face_boxes_px=np.tile(np.concatenate([face_px - half_px, face_px + half_px]), (frame_count, 1)),
        face_confidence=seen,
    )


def encode_source(path: Path, frames: Iterable[np.ndarray], size: tuple[int, int]) -> None:
    """A video as cameras and platforms deliver them: H.264 with a key frame every two seconds."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "g": "50", "preset": "fast"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def manifest_row(video: Path, frame_count: int, size: tuple[int, int]) -> ClipRow:
    """The row of a video, with its track beside it."""
    track = video.with_suffix(".safetensors")
    still_track(frame_count, size).save(track)
    return ClipRow(
        clip_id=video.stem, video=video.name, sha256=sha256_file(video), width=size[0], height=size[1],
        fps_num=_FPS.numerator, fps_den=_FPS.denominator, frame_count=frame_count, source="benchmark",
        identity=video.stem, category="made-up", licence="CC0-1.0", consent="given", split="train", synthetic=True,
        track=track.name, framing="full",
    )  # fmt: skip
