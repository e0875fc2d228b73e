"""Does a longer video need more memory? `python -m benchmarks.dit_parts.segments` prints one JSON object.

Videos of 2 and of 8 segments are made, each in a process of its own, by all that `dreamactor animate` does once the
performance is tracked: control maps drawn and faces cut segment by segment, sampling, decoding as a stream, frames
written as an mp4. The weights are random: they decide no size. Measured is the peak of what the process holds in RAM,
less what it held once the networks were loaded. The C library is told to return what is freed (a fixed threshold for
its own mappings): else its fragments, up to a tenth more or less from run to run, would be measured. Decoding the
driving video is a process of its own that ends with each segment, and is not counted.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.skeleton import JOINT_COUNT
from dreamactor_core.video import VideoWriter
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.frames import make_frames
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.motion import DrivenMotion
from dreamactor_model.animate.references import WarpedReference, encode_images
from dreamactor_model.presets import get_preset
from dreamactor_model.sampling.references import References
from dreamactor_model.vae import VideoVAE

SEGMENT_FRAMES = 33
SIDE = 128
SHORT, LONG = 2, 8
_WORKSPACE = Path(__file__).parents[2]


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`segments_peak_memory_ratio`: peak of 8 segments over peak of 2. Below a scale of 1: fewer solver steps."""
    steps = 6 if scale >= 1 else 2
    peaks = {count: _in_child(count, steps) for count in (SHORT, LONG)}
    return {
        "segments_peak_memory_ratio": round(peaks[LONG] / peaks[SHORT], 4),
        "segments_peak_mb_2": round(peaks[SHORT] / 2**20, 1),
        "segments_peak_mb_8": round(peaks[LONG] / 2**20, 1),
    }


def _in_child(segments: int, steps: int) -> int:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.dit_parts.segments", str(segments), str(steps)],
        cwd=_WORKSPACE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": str(2**17)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(finished.stdout.split()[-1])


def _peak_bytes(segments: int, steps: int) -> int:
    """Make one video here; how much more RAM was held at most than when the networks were loaded."""
    model, images_RHWC = _model(), _picture()[None]
    frame_count = 1 + segments * (SEGMENT_FRAMES - 1)
    sampling = SamplingSettings(steps=steps, segment_frames=SEGMENT_FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        motion = _motion(Path(folder) / "driving.mp4", frame_count)
        before = _reset_peak()
        with VideoWriter(Path(folder) / "result.mp4", Fraction(25), size=(SIDE, SIDE)) as writer:
            warp = WarpedReference(model.vae, images_RHWC[0], _person())
            references = References(encode_images(model.vae, images_RHWC), warp=warp)
            for frame in make_frames(model, references, motion, sampling):
                writer.write(frame)
        return _status_bytes("VmHWM") - before


def _model() -> LoadedModel:
    torch.manual_seed(0)
    preset = get_preset("tiny")
    actor, vae = DreamActor(preset.actor).eval(), VideoVAE(preset.vae).eval()
    return LoadedModel(Path(), actor, vae, {}, torch.device("cpu"), max_references=1)


def _picture() -> np.ndarray:
    ramp = np.add.outer(np.arange(SIDE), np.arange(SIDE)).astype(np.uint8)
    return np.repeat(ramp[..., None], 3, axis=2)


def _motion(video: Path, frame_count: int) -> DrivenMotion:
    """A synthetic person's walk through the picture, and a driving video to cut faces from."""
    with VideoWriter(video, Fraction(25), size=(SIDE, SIDE)) as writer:
        for frame in range(frame_count):
            writer.write(np.roll(_picture(), frame, axis=1))
    track = _person()[[0] * frame_count]
    joints_m = track.joints_cam_m.copy()
    joints_m[..., 0] += 0.2 * np.sin(np.arange(frame_count) / 10)[:, None]
    return DrivenMotion(replace(track, joints_cam_m=joints_m), (SIDE, SIDE), video=video, driving=track)


def _person() -> MotionTrack:
    random = np.random.default_rng(0)
    box_px = np.array([[0.4, 0.2, 0.6, 0.4]]) * SIDE
    return MotionTrack(
        joints_cam_m=np.array([0, 0, 4]) + random.uniform(-0.6, 0.6, (1, JOINT_COUNT, 3)),
        joint_confidence=np.ones((1, JOINT_COUNT)),
        focal_px=2.0 * SIDE,
        principal_px=np.array([SIDE / 2, SIDE / 2]),
        frame_size=(SIDE, SIDE),
        fps=Fraction(25),
        head_rotation=np.eye(3)[None],
        head_center_cam_m=np.array([[0.0, -0.6, 4.0]]),
        head_radius_m=np.array([0.15]),
        head_confidence=np.ones(1),
        face_boxes_px=box_px,
        face_confidence=np.ones(1),
    )


def _reset_peak() -> int:
    """Forget the peak so far; what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status_bytes("VmRSS")


def _status_bytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * int(value)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(_peak_bytes(int(sys.argv[1]), int(sys.argv[2])))
    else:
        print(json.dumps(measure()))
