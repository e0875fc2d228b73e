"""How well heads are tracked: rotation, slopes and the sphere's place on people whom the tracker was not calibrated on.

Truth is exact: synthetic people look around (yaw +-62, pitch +-24, roll +-10 degrees, talking and blinking), and turn
once about themselves. The tracker's head was calibrated on `CALIBRATION_CAST`; all here is of `HELD_OUT_CAST`. The
camera's focal length is unknown to the tracker, so places are compared in the picture, where the sphere is drawn, in
shares of the head's size there: the diameter of the true skull sphere.

Legend: T video frames.
"""

import json
from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_dataset.synthetic.clip import Clip
from dreamactor_signals.head_angles import angles_of_rotation
from dreamactor_signals.visibility import SEEN

from benchmarks.signals_parts.turning_heads import HELD_OUT_CAST, looking_around, track_clip, turning_round

_LOOKING_FRAMES, _TURNING_FRAMES = 96, 75
_TURNING_PEOPLE = 4
_WIDEST_YAW_DEG = 60.0


@dataclass(frozen=True)
class Compared:
    """One clip, tracked and true.

    Attributes:
        seen: (T,) bool, whether the sphere would be drawn.
        error_deg: (T,) angle between the rotations.
        yaw_deg, pitch_deg: (T, 2) tracked and true.
        center_error: (T,) in head sizes.
        step: (T - 1,) how far the sphere moves between frames, in head sizes.
    """

    seen: np.ndarray
    error_deg: np.ndarray
    yaw_deg: np.ndarray
    pitch_deg: np.ndarray
    center_error: np.ndarray
    step: np.ndarray


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """The head's figures; `scale` takes fewer people."""
    people = HELD_OUT_CAST[: max(round(len(HELD_OUT_CAST) * scale), 2)]
    looking = [_compare(looking_around(person, _LOOKING_FRAMES)) for person in people]
    turning = [_compare(turning_round(person, _TURNING_FRAMES)) for person in people[:_TURNING_PEOPLE]]
    within = [one.seen & (np.abs(one.yaw_deg[:, 1]) <= _WIDEST_YAW_DEG) for one in looking]

    def pooled(name: str) -> np.ndarray:
        return np.concatenate([getattr(one, name)[chosen] for one, chosen in zip(looking, within, strict=True)])

    return {
        "head_rotation_error_deg": float(pooled("error_deg").mean()),
        "head_yaw_slope": _slope(pooled("yaw_deg")),
        "head_pitch_slope": _slope(pooled("pitch_deg")),
        "sphere_center_error": float(pooled("center_error").mean()),
        "head_seen_share": float(np.concatenate([one.seen for one in looking]).mean()),
        "turn_continuous": all(bool(one.seen.all()) for one in turning),
        "turn_rotation_error_deg": float(np.mean([one.error_deg.mean() for one in turning])),
        "turn_largest_step": float(max(one.step.max() for one in turning)),
        "turn_center_error": float(np.mean([one.center_error.mean() for one in turning])),
    }


def _compare(clip: Clip) -> Compared:
    tracked, true = track_clip(clip), clip.track
    angles, true_angles = (angles_of_rotation(track.head_rotation) for track in (tracked, true))
    yaw_deg, pitch_deg = (np.degrees(np.stack([angles[axis], true_angles[axis]], axis=1)) for axis in (0, 1))
    trace = np.einsum("tij,tij->t", tracked.head_rotation.astype(np.float64), true.head_rotation)
    centers_px = tracked.project(tracked.head_center_cam_m)
    size_px = _head_size_px(true)
    return Compared(
        seen=tracked.head_confidence >= SEEN,
        error_deg=np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))),
        yaw_deg=yaw_deg,
        pitch_deg=pitch_deg,
        center_error=np.linalg.norm(centers_px - true.project(true.head_center_cam_m), axis=1) / size_px,
        step=np.linalg.norm(np.diff(centers_px, axis=0), axis=1) / size_px[1:],
    )


def _head_size_px(true: MotionTrack) -> np.ndarray:
    """(T,) diameter of the true skull sphere in the picture."""
    return np.asarray(2 * true.focal_px * true.head_radius_m / true.head_center_cam_m[:, 2])


def _slope(tracked_and_true: np.ndarray) -> float:
    return float(np.polyfit(tracked_and_true[:, 1], tracked_and_true[:, 0], 1)[0])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
