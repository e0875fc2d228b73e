"""How exactly a performance is carried over to another body, against the limb ratios of one frame in the picture.

Synthetic people drive other synthetic people; none of them calibrated anything. From true input, all 57 bones are
compared; a person's own length of a bone is its median, since skin lets joints slide by some percent. From tracked
input the eight long limbs are, with the reference known from its clip, and again from a single picture. A single camera
tells proportions and no metres: tracked lengths are compared after one common scale per person. The figures
`retarget_tracked_*` take extraction as it ships, all frames and long limbs, seen or not; `retarget_fitted_*` the body
fit on the same readings. Where their error comes from, by groups of bones and by source, and for people who are seen
to the hips or in portraits: `retarget_directions.py`, which tells what counts there and why.

The fit was tuned on people of seeds 501 and 777, the lifting networks on those of 7101 and 7102 and on other motions
(`lifting/`); people here are of seed 7004.

The rival's way, in words: one ratio for each limb, its length in the reference's picture over that in the first driving
frame, the larger one of left and right for both sides; every frame keeps its picture's angles and multiplies lengths.

Legend: T video frames, B bones, L limbs.
"""

import json
from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import BONES, LIMB_BONES
from dreamactor_dataset.synthetic.clip import make_clip
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.plan import Category, ClipPlan, Framing
from dreamactor_signals.body_models.anny import AnnyBody
from dreamactor_signals.flow import look_again
from dreamactor_signals.retarget import retarget
from dreamactor_signals.trackers.embedded import EmbeddedTracker
from dreamactor_signals.trackers.embedded.clip import assemble
from dreamactor_signals.trackers.embedded.lifting import lifting

from benchmarks.signals_parts.retarget_directions import angles_deg, bones_m, direction_errors

_SEED, _FRAMES, _CLOSE_FRAMES, _SIZE = 7004, 40, 24, (384, 384)
_MOTIONS: tuple[tuple[Category, str | None], ...] = (
    ("dance", "dance_b"),
    ("walk", "walk"),
    ("sport", "punch"),
    ("gesture", None),
)
_LIMBS = ("upper_arm", "forearm", "thigh", "shin")
_LEFT = np.concatenate([LIMB_BONES[f"left_{limb}"] for limb in _LIMBS])
_RIGHT = np.concatenate([LIMB_BONES[f"right_{limb}"] for limb in _LIMBS])
_LONG = np.concatenate([_LEFT, _RIGHT])
# A limb is foreshortened if the picture shows less of it than this.
_FORESHORTENED = 0.7


@dataclass(frozen=True)
class Filmed:
    """One person's clip: truth, what extraction makes of it as it ships, and the same with the body fit."""

    true: MotionTrack
    tracked: MotionTrack
    fitted: MotionTrack


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Retargeting's figures; `scale` takes fewer pairs."""
    count = max(round(len(_MOTIONS) * scale), 2)
    studio = _Studio()
    people = [studio.film(number, "full", _FRAMES) for number in range(count)]
    pairs = [(people[number], people[(number + 1) % count]) for number in range(count)]
    exact = [_true_errors(driving, reference) for driving, reference in pairs]
    tracked, fitted, one_picture = (
        np.mean([_tracked_errors(driving, reference, frames, which) for driving, reference in pairs], axis=0)
        for frames, which in ((_FRAMES, "tracked"), (_FRAMES, "fitted"), (1, "tracked"))
    )
    pictures = np.concatenate([_picture_errors(driving, reference) for driving, reference in pairs])
    return {
        "retarget_true_length_error": float(max(length for length, _ in exact)),
        "retarget_true_direction_deg": float(max(angle for _, angle in exact)),
        "retarget_tracked_length_error": float(tracked[0]),
        "retarget_tracked_direction_deg": float(tracked[1]),
        "retarget_fitted_length_error": float(fitted[0]),
        "retarget_fitted_direction_deg": float(fitted[1]),
        "retarget_one_picture_length_error": float(one_picture[0]),
        "retarget_2d_baseline_ratio": float(pictures[:, 1].mean() / pictures[:, 0].mean()),
        "retarget_2d_ours_error": float(pictures[:, 0].mean()),
        "retarget_2d_rival_error": float(pictures[:, 1].mean()),
        **_sources(people, "full"),
        **_sources([studio.film(number, "half", _CLOSE_FRAMES) for number in range(count)], "half"),
        **_sources([studio.film(number, "portrait", _CLOSE_FRAMES) for number in range(count)], "portrait"),
    }


class _Studio:
    """Films people, reads the clips once and puts them together with and without the body fit."""

    def __init__(self) -> None:
        self._settings = SignalsSettings()
        self._tracker, self._body = EmbeddedTracker(self._settings), AnnyBody()

    def film(self, number: int, framing: Framing, frame_count: int) -> Filmed:
        category, motion = _MOTIONS[number]
        plan = ClipPlan(f"retarget-{number}", number, _SEED, number, category, framing, "test", motion)
        clip = make_clip(plan, build_figure(make_identity(_SEED, number)), _SIZE, frame_count)
        size = clip.track.frame_size
        readings, camera = self._tracker.read(clip.frames, size)
        tracked, fitted = (
            look_again(
                assemble(
                    readings,
                    camera,
                    clip.track.fps,
                    size,
                    self._settings,
                    trackers={},
                    source_sha256="",
                    body=body,
                    lifting=lifting(),
                ),
                clip.frames,
            )
            for body in (None, self._body)
        )
        return Filmed(clip.track, tracked, fitted)


def _sources(people: list[Filmed], framing: Framing) -> dict[str, float | bool | str | None]:
    """Direction errors by group and source, averaged over clips; None where no clip shows the bone."""
    figures: dict[str, float | bool | str | None] = {}
    for which in ("tracked", "fitted"):
        clips = [direction_errors(getattr(person, which), person.true) for person in people]
        for name in clips[0]:
            values = [clip[name] for clip in clips if np.isfinite(clip[name])]
            figures[f"retarget_{which}_{framing}_{name}"] = float(np.mean(values)) if values else None
            if not values:
                figures[f"retarget_{which}_{framing}_{name}_why"] = "no clip of this framing shows such a bone"
    return figures


def _true_errors(driving: Filmed, reference: Filmed) -> tuple[float, float]:
    """Worst relative length error and worst angle in degrees, over all frames and bones."""
    result = bones_m(retarget(driving.true, reference.true))
    wanted_B = _own_lengths_m(reference.true)
    lengths_TB = np.linalg.norm(result, axis=-1)
    seen_TB = (driving.true.joint_confidence[:, BONES] > 0).all(axis=2)
    error_TB = np.abs(lengths_TB / wanted_B - 1)
    return float(error_TB[seen_TB].max()), float(angles_deg(result, bones_m(driving.true))[seen_TB].max())


def _own_lengths_m(true: MotionTrack) -> np.ndarray:
    """(B,)."""
    return np.asarray(np.median(np.linalg.norm(bones_m(true), axis=-1), axis=0))


def _tracked_errors(driving: Filmed, reference: Filmed, reference_frames: int, which: str) -> tuple[float, float]:
    """Mean relative length error of the long limbs, and the mean angle to the driving person's true limbs."""
    performed: MotionTrack = getattr(driving, which)
    measured: MotionTrack = getattr(reference, which)
    result = bones_m(retarget(performed, measured[:reference_frames]))[:, _LONG]
    wanted_L = _own_lengths_m(reference.true)[_LONG]
    ratio_L = np.median(np.linalg.norm(result, axis=-1), axis=0) / wanted_L
    lengths = np.abs(ratio_L / np.median(ratio_L) - 1)
    return float(lengths.mean()), float(angles_deg(result, bones_m(driving.true)[:, _LONG]).mean())


def _picture_errors(driving: Filmed, reference: Filmed) -> np.ndarray:
    """(N, 2) errors of limb lengths in the picture, ours and the rival's, in shares of the limb's full length there.

    Only of limbs that the first driving frame or the reference's picture shows foreshortened.
    """
    wanted = retarget(driving.true, reference.true[:1])
    ours = retarget(driving.tracked, reference.tracked[:1])
    full_px = _full_px(wanted)
    ours_TL, wanted_TL = limbs_px(ours), limbs_px(wanted)
    driving_TL, reference_L = limbs_px(driving.tracked), limbs_px(reference.tracked)[0]
    ratio_L = reference_L / np.maximum(driving_TL[0], 1e-6)
    ratio_L = np.tile(ratio_L.reshape(2, -1).max(axis=0), 2)
    shown = np.minimum(_shown(driving.true)[0], _shown(reference.true)[0])
    chosen = shown < _FORESHORTENED
    errors = np.stack([np.abs(ours_TL - wanted_TL), np.abs(driving_TL * ratio_L - wanted_TL)], axis=-1)
    return np.asarray((errors / full_px[..., None])[:, chosen].reshape(-1, 2))


def _full_px(track: MotionTrack) -> np.ndarray:
    """(T, L) pixels of the long limbs if they lay across the line of sight."""
    depth_m = track.joints_cam_m[:, BONES[_LONG], 2].mean(axis=-1)
    return np.asarray(np.linalg.norm(bones_m(track)[:, _LONG], axis=-1) * track.focal_px / depth_m)


def _shown(track: MotionTrack) -> np.ndarray:
    """(T, L) how much of the full length the picture shows."""
    return limbs_px(track) / _full_px(track)


def limbs_px(track: MotionTrack) -> np.ndarray:
    """(T, L) lengths of the long limbs in the picture."""
    ends_px = track.project(track.joints_cam_m.astype(np.float64))[:, BONES[_LONG]]
    return np.asarray(np.linalg.norm(ends_px[:, :, 1] - ends_px[:, :, 0], axis=-1))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
