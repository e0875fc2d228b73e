"""How fast synthetic clips are made, where the time goes, whether equal seeds give equal bytes, and whether the
embedded tracker sees these people.

Speed counts everything of `dreamactor dataset synthesize` after its start: building people, rendering, truth, encoding,
by the processor time of one process and of the speaking children it starts. Detection: of the frames whose truth says
that the face is visible (turned from the camera by 60 degrees at most, so that both eyes show, in the frame, at least
16 pixels wide) and both shoulders are in the frame, the share in which the tracker finds a face over the true one and
both shoulders near the true ones. Found is what has a box, as face crops ask; `synth_face_read` is the share whose
landmarks and expression were read too.

    python -m benchmarks.dataset_parts.synthesis
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SyntheticSettings
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import joint_index
from dreamactor_core.video import open_video
from dreamactor_dataset.synthetic.synthesize import synthesize
from dreamactor_signals.trackers import make_tracker
from dreamactor_signals.visibility import SEEN

# Beyond this angle between nose and camera an eye is hidden: a profile, which no face detector promises to find.
_FACING = np.cos(np.radians(60.0))
_FACE_SEEN, _FACE_PX = 0.9, 16.0
_SHOULDERS = [joint_index("left_shoulder"), joint_index("right_shoulder")]
# Of the distance between the shoulders, or of the head's diameter where they stand edge-on.
_NEAR_SHARE = 0.5


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`synth_fps_per_core`, `synth_detected`, equality of bytes over runs and process counts."""
    settings = SyntheticSettings(people=12, clips=max(6, round(36 * scale)), frames=33, size=256, seed=900, processes=1)
    with tempfile.TemporaryDirectory() as folder:
        _warm_up(Path(folder) / "warm")
        figures = _speed(Path(folder) / "one", settings)
        figures |= _equality(Path(folder), settings.model_copy(update={"clips": 4}))
        figures |= _detection(Path(folder) / "one")
    return figures


def _warm_up(folder: Path) -> None:
    """Compiled code and meshes are loaded once a process."""
    synthesize(folder, SyntheticSettings(people=1, clips=1, frames=5, size=64, seed=1, processes=1))


def _speed(folder: Path, settings: SyntheticSettings) -> dict[str, float | bool | str | None]:
    start, start_wall = _cpu_s(), time.perf_counter()
    synthesize(folder, settings)
    cpu_s, wall_s = _cpu_s() - start, time.perf_counter() - start_wall
    frames = float(settings.clips * settings.frames)
    return {"synth_fps_per_core": frames / cpu_s, "synth_frames": frames, "synth_wall_s": wall_s}


def _cpu_s() -> float:
    """Processor time of this process and of its children that have ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def _equality(folder: Path, settings: SyntheticSettings) -> dict[str, float | bool | str | None]:
    hashes = []
    for number, processes in enumerate((1, 1, 2)):
        made = folder / f"equal-{number}"
        synthesize(made, settings.model_copy(update={"processes": processes}))
        hashes.append({path.name: sha256_file(path) for path in sorted(made.rglob("*")) if path.is_file()})
    return {"synth_equal_runs": hashes[0] == hashes[1], "synth_equal_processes": hashes[0] == hashes[2]}


def _detection(folder: Path) -> dict[str, float | bool | str | None]:
    visible, found, faces, read, bodies = 0, 0, 0, 0, 0
    tracker = make_tracker(SignalsSettings())
    for video in sorted(folder.glob("*.mp4")):
        truth = MotionTrack.load(folder / "truth" / f"{video.stem}.safetensors")
        with open_video(video) as reader:
            track = tracker.track(iter(reader), reader.info.fps, (reader.info.width, reader.info.height), "")
        shown = _shown(truth)
        face, body = _face_found(truth, track), _body_found(truth, track)
        visible, found = visible + int(shown.sum()), found + int((shown & face & body).sum())
        faces, bodies = faces + int((shown & face).sum()), bodies + int((shown & body).sum())
        read += int((shown & face & (track.face_confidence >= SEEN)).sum())
    return {
        "synth_detected": found / visible,
        "synth_face_detected": faces / visible,
        "synth_face_read": read / visible,
        "synth_body_detected": bodies / visible,
        "synth_visible_frames": float(visible),
    }


def _shown(truth: MotionTrack) -> np.ndarray:
    """(T,) bool: face and shoulders are there to be found."""
    face_px = np.ptp(truth.face_boxes_px.reshape(-1, 2, 2), axis=1).min(axis=1)
    shoulders = (truth.joint_confidence[:, _SHOULDERS] > 0).all(axis=1)
    to_camera = -truth.head_center_cam_m / np.linalg.norm(truth.head_center_cam_m, axis=1, keepdims=True)
    facing = (-truth.head_rotation[:, :, 2] * to_camera).sum(axis=1) > _FACING
    return facing & (truth.face_confidence > _FACE_SEEN) & (face_px >= _FACE_PX) & shoulders


def _face_found(truth: MotionTrack, track: MotionTrack) -> np.ndarray:
    """(T,) bool: a face is found, its middle inside the true box."""
    middle_px = (track.face_boxes_px[:, :2] + track.face_boxes_px[:, 2:]) / 2
    inside = (middle_px >= truth.face_boxes_px[:, :2]) & (middle_px <= truth.face_boxes_px[:, 2:])
    return (track.face_confidence > 0) & inside.all(axis=1)


def _body_found(truth: MotionTrack, track: MotionTrack) -> np.ndarray:
    """(T,) bool: both shoulders are found near the true ones."""
    true_px, found_px = (one.project(one.joints_cam_m)[:, _SHOULDERS] for one in (truth, track))
    wide_px = np.linalg.norm(true_px[:, 0] - true_px[:, 1], axis=1)
    head_px = 2 * truth.head_radius_m * truth.focal_px / truth.head_center_cam_m[:, 2]
    error_px = np.linalg.norm(true_px - found_px, axis=2).max(axis=1)
    found = (track.joint_confidence[:, _SHOULDERS] > 0).all(axis=1)
    return found & (error_px < _NEAR_SHARE * np.maximum(wide_px, head_px))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
