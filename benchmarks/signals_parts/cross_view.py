"""Two cameras, one real person: do skeletons tracked in each on its own agree?

Four calibrated cameras stand around one person (Pose2Sim's demonstration). Each video is tracked by the embedded
tracker and a body is fitted to the track, knowing nothing of the other cameras; only the field of view, which all four
share, is the calibrated one, as any user who knows their lens may set it. Then, frame by frame, one skeleton is turned
and moved (never scaled) onto the other. Every pair of the four cameras counts alike, those that face each other too.

The figure counts the fourteen joints that pose benchmarks count; with heels and toes it stands beside it. Constants of
tracker and fit were set on synthetic people; this clip served to find one fault, sides exchanged for long spells.

    python -m benchmarks.signals_parts.cross_view
"""

import json
import sys
from itertools import combinations
from math import atan, degrees, hypot
from xml.etree import ElementTree

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.footage import footage
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import JOINT_NAMES
from dreamactor_signals.extraction import extract_video
from dreamactor_signals.rotations import align
from dreamactor_signals.trackers import make_tracker

_CAMERAS = (1, 2, 3, 4)
_BODY = range(18)
_COUNTED = [joint for joint in _BODY if not JOINT_NAMES[joint].endswith(("heel", "toe"))]


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Mean distances in millimetres."""
    try:
        tracks = _tracks(max(int(100 * scale), 20))
    except InputError as error:
        return {"cross_view_error_mm": None, "cross_view_error_mm_why": error.line()}
    fitted = {camera: _fitted(track) for camera, track in tracks.items()}
    pairs = _pairs(fitted, _COUNTED)
    return {
        "cross_view_error_mm": float(np.mean(pairs)),
        "cross_view_best_pair_mm": min(pairs),
        "cross_view_worst_pair_mm": max(pairs),
        "cross_view_with_feet_mm": float(np.mean(_pairs(fitted, list(_BODY)))),
        "cross_view_tracker_alone_mm": float(np.mean(_pairs({c: t.joints_cam_m for c, t in tracks.items()}, _COUNTED))),
    }


def _tracks(frames: int) -> dict[int, MotionTrack]:
    tracker = make_tracker(SignalsSettings(field_of_view_deg=_field_of_view_deg()))
    return {camera: extract_video(footage(f"studio-{camera}"), tracker, max_frames=frames) for camera in _CAMERAS}


def _field_of_view_deg() -> float:
    """Diagonal, mean of the four cameras; lengths in the file are in 64ths of a pixel."""
    path = footage("studio-1").parents[1] / "calibration" / "Calib.qca.txt"
    fields = []
    # Installed with the footage, not a user's file.
    for camera in ElementTree.parse(path).getroot().iter("camera"):  # noqa: S314
        lens, sensor = camera.find("intrinsic"), camera.find("fov_video")
        assert lens is not None
        assert sensor is not None
        width, height = (1 + int(sensor.attrib[side]) for side in ("right", "bottom"))
        fields.append(2 * degrees(atan(hypot(width, height) / 2 / (float(lens.attrib["focalLengthU"]) / 64))))
    return float(np.mean(fields))


def _fitted(track: MotionTrack) -> np.ndarray:
    """(T, J, 3) joints of the body fitted to a track."""
    from dreamactor_signals.body_models.anny import AnnyBody
    from dreamactor_signals.fit import Keypoints, fit_clip

    seen = Keypoints(
        track.project(track.joints_cam_m).astype(np.float32) * (track.joint_confidence > 0)[..., None],
        track.joint_confidence,
        track.frame_size,
        track.joints_cam_m,
        track.focal_px,
    )
    return fit_clip(seen, AnnyBody(), fps=float(track.fps)).joints_cam_m


def _pairs(joints_cam_m: dict[int, np.ndarray], counted: list[int]) -> list[float]:
    """Mean distance of each pair of cameras."""
    return [
        _disagreement_mm(joints_cam_m[a][:, counted], joints_cam_m[b][:, counted])
        for a, b in combinations(joints_cam_m, 2)
    ]


def _disagreement_mm(a_m: np.ndarray, b_m: np.ndarray) -> float:
    distances = []
    for source, target in zip(a_m.astype(np.float64), b_m.astype(np.float64), strict=True):
        rotation, _ = align(source, target, np.ones(len(source)))
        moved = (source - source.mean(axis=0)) @ rotation.T + target.mean(axis=0)
        distances.append(np.linalg.norm(moved - target, axis=1).mean())
    return 1e3 * float(np.mean(distances))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(), indent=2) + "\n")
