"""How still a still person is, and how much of a blink is left: the tracker with its care for time and without.

The raw tracker is the same networks, each frame placed on its own: no smoothing over time, no bridges over gaps.
A still person is sought in real footage: the two seconds in which the raw joints wander least, once their jitter is
averaged away. Blinks and closing lips of known depth are played by synthetic people whom nothing was calibrated on.

    python -m benchmarks.signals_parts.temporal
"""

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.footage import footage
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.video import open_video
from dreamactor_dataset.synthetic.clip import FPS, Clip, render_performance
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.figure.posing import posed_skull
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.render.background import make_background
from dreamactor_dataset.synthetic.render.camera import look_at
from dreamactor_dataset.synthetic.render.lights import make_lights
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene
from dreamactor_signals.smoothing import smooth
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip import assemble
from dreamactor_signals.trackers.embedded.lifting import lifting
from dreamactor_signals.trackers.embedded.readings import FrameReading
from dreamactor_signals.trackers.embedded.tracker import EmbeddedTracker
from dreamactor_signals.visibility import SEEN
from scipy.signal import find_peaks

OURS = SignalsSettings()
RAW = SignalsSettings(smooth_image_s=0, smooth_depth_s=0, smooth_root_s=0, smooth_units_s=0, max_gap_s=0)
_PIECES = ("smiling-man", "acted-close-up", "talking-head", "two-people")
_MOST_FRAMES = 240
_STILL_S = 2.0
_HELD_OUT = tuple((7003, number) for number in range(3))
_BLINK = (0.5, 1.0, 0.5)
_BLINKS_AT = (20, 34, 48)
_LIPS_CLOSE_AT = (26, 41, 53)
_FRAMES = 64
_CLEAR_BLINK = 0.25


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Jitter on real people, blinks and lips on synthetic ones."""
    from dreamactor_signals.trackers import make_tracker

    tracker = make_tracker(OURS)
    assert isinstance(tracker, EmbeddedTracker)
    jitters = [_jitter(tracker, name, scale) for name in _PIECES]
    still = min((jitter for jitter in jitters if jitter is not None), key=lambda jitter: jitter["wander_mm_s"])
    figures: dict[str, float | bool | str | None] = {
        "jitter_ratio": still["space"],
        "jitter_ratio_worst": max(jitter["space"] for jitter in jitters if jitter is not None),
        "jitter_image_ratio": still["image"],
        "jitter_units_ratio": still["units"],
        "jitter_footage": str(still["name"]),
        "jitter_wander_mm_s": still["wander_mm_s"],
    }
    people = _HELD_OUT[: max(1, round(scale * len(_HELD_OUT)))]
    kept = np.array([_depths_kept(tracker, person) for person in people]).mean(axis=0)
    blinks = [depth for jitter in jitters if jitter is not None for depth in jitter["blinks"]]
    return figures | {
        "blink_depth_kept": float(kept[0]),
        "lip_closure_kept": float(kept[1]),
        "real_blinks": float(len(blinks)),
        "real_blink_depth_kept_min": min(blinks) if blinks else None,
    }


def _jitter(tracker: EmbeddedTracker, name: str, scale: float) -> dict[str, Any] | None:
    """Accelerations over the stillest two seconds of a piece, ours over the raw tracker's; None without any joint.

    With them, how deep each of the piece's blinks is in ours, as a share of the raw one.
    """
    readings, camera, fps, size = _read(tracker, name, max(int(_MOST_FRAMES * scale), 72))
    ours, raw = _ours_and_raw(readings, camera, fps, size)
    seen = (ours.joint_confidence >= SEEN) & (raw.joint_confidence >= SEEN)
    seen = seen[2:] & seen[1:-1] & seen[:-2]
    length = round(_STILL_S * fps)
    wander = np.linalg.norm(np.diff(smooth(raw.joints_cam_m, np.ones(len(raw)), float(fps) / 4), axis=0), axis=-1)
    windows = [
        (float(wander[1 : 1 + len(seen)][start : start + length][there].mean()), start)
        for start in range(0, len(seen) - length + 1, 4)
        if (there := seen[start : start + length]).any(axis=1).all()
    ]
    if not windows:
        return None
    speed, start = min(windows)
    window = slice(start, start + length)

    def ratio(read: Callable[[MotionTrack], np.ndarray], where: np.ndarray) -> float:
        ours_bend, raw_bend = (np.linalg.norm(np.diff(read(track), 2, axis=0), axis=-1) for track in (ours, raw))
        return float(ours_bend[window][where].mean() / raw_bend[window][where].mean())

    everything = np.ones(length, bool)
    return {
        "name": name,
        "wander_mm_s": 1e3 * speed * float(fps),
        "space": ratio(lambda track: track.joints_cam_m.astype(np.float64), seen[window]),
        "image": ratio(lambda track: track.project(track.joints_cam_m.astype(np.float64)), seen[window]),
        "units": ratio(_units, everything),
        "blinks": _real_blinks(ours, raw),
    }


def _real_blinks(ours: MotionTrack, raw: MotionTrack) -> list[float]:
    """Depth kept of every clear blink: a peak of at most eight frames."""
    unit = ARKIT_UNITS.index("eyeBlinkLeft")
    assert ours.face_units is not None
    assert raw.face_units is not None
    before, after = raw.face_units[:, unit].astype(np.float64), ours.face_units[:, unit].astype(np.float64)
    peaks, _ = find_peaks(before, prominence=_CLEAR_BLINK, width=(1, 8))
    open_eye = np.median(before)
    return [float((after[t] - open_eye) / (before[t] - open_eye)) for t in peaks]


def _read(
    tracker: EmbeddedTracker, name: str, most: int
) -> tuple[list[FrameReading], Camera, Fraction, tuple[int, int]]:
    with open_video(footage(name), indices=None) as video:
        size = (video.info.width, video.info.height)
        frames = (frame for frame, _ in zip(video, range(most), strict=False))
        readings, camera = tracker.read(frames, size)
    return readings, camera, video.info.fps, size


def _ours_and_raw(
    readings: list[FrameReading], camera: Camera, fps: Fraction, size: tuple[int, int]
) -> tuple[MotionTrack, MotionTrack]:
    raw = assemble(readings, camera, fps, size, RAW, trackers={}, source_sha256="")
    return assemble(readings, camera, fps, size, OURS, trackers={}, source_sha256="", lifting=lifting()), raw


def _depths_kept(tracker: EmbeddedTracker, person: tuple[int, int]) -> tuple[float, float]:
    """Depth of blinks, and of lips that close in the middle of speech, after smoothing over before."""
    clip = _play(person)
    readings, camera = tracker.read(iter(clip.frames), clip.track.frame_size)
    ours, raw = _ours_and_raw(readings, camera, FPS, clip.track.frame_size)
    blinks = [_depth(track, "eyeBlinkLeft", _BLINKS_AT, 1) for track in (ours, raw)]
    lips = [_depth(track, "jawOpen", _LIPS_CLOSE_AT, 0) for track in (ours, raw)]
    return blinks[0] / blinks[1], lips[0] / lips[1]


def _units(track: MotionTrack) -> np.ndarray:
    assert track.face_units is not None
    return track.face_units.astype(np.float64)


def _depth(track: MotionTrack, unit: str, at: tuple[int, ...], late: int) -> float:
    """Mean of how far a unit departs, in the frame of the deepest departure, from what it is two frames around."""
    values = _units(track)[:, ARKIT_UNITS.index(unit)]
    return float(np.mean([abs(values[t + late] - (values[t - 3] + values[t + 5]) / 2) for t in at]))


def _play(person: tuple[int, int]) -> Clip:
    """A close-up of someone who blinks for three frames at a time; in an open vowel their lips close for two."""
    random = np.random.default_rng([*person, 21])
    performance = Performance(_FRAMES)
    blink = [ARKIT_UNITS.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    jaw = ARKIT_UNITS.index("jawOpen")
    performance.units[:, jaw] = 0.45
    for t in _BLINKS_AT:
        performance.units[t : t + len(_BLINK), blink] = np.array(_BLINK)[:, None]
    for t in _LIPS_CLOSE_AT:
        performance.units[t : t + 2, jaw] = 0.0
    figure = build_figure(make_identity(*person))
    _, skull_m = posed_skull(figure, rig_performance(figure, performance))
    field_rad, size = 0.5, (320, 320)
    half_span_m = 2.2 * figure.skull_radius_m
    camera = look_at(
        skull_m.mean(axis=0) - (0, 0.4 * figure.skull_radius_m, 0), half_span_m / np.tan(field_rad / 2), 0.0, 0.0,
        size[1] / 2 / np.tan(field_rad / 2), size,
    )  # fmt: skip
    background = make_background(random, size[1] * SUPERSAMPLING, size[0] * SUPERSAMPLING)
    return render_performance(Scene(figure, camera, make_lights(random), background), performance)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(), indent=2) + "\n")
