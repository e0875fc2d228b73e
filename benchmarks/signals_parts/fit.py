"""The body fit against the truth: joint error of the fitted body, and against the same joints without the fit.

Truth: synthetic people of seed 4242, in the order their plan makes them, so with the framings that the project's own
sets have. Spreads were chosen looking at seeds 501 and 777; the lifting networks learnt from seeds 7101 and 7102.

The error is the mean distance to the true body joints (18, hands apart) that lie in the frame, after both skeletons are
moved so that their roots agree: the pelvis, or the neck where the pelvis is out of the frame; averaged over clips.
"Raw" is the network's own metric skeleton a frame, as it comes; "tracked" is the track without the fit (placed and
smoothed).
"""

import json
from collections.abc import Iterator

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import BODY_JOINTS, JOINT_COUNT, joint_index
from dreamactor_dataset.synthetic.clip import Clip, make_clip
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.plan import ClipPlan, plan_clips
from dreamactor_signals.body_models.anny import AnnyBody
from dreamactor_signals.trackers.embedded.clip import assemble
from dreamactor_signals.trackers.embedded.clip_body import JOINT_OF_POINT
from dreamactor_signals.trackers.embedded.lifting import lifting
from dreamactor_signals.trackers.embedded.readings import FrameReading
from dreamactor_signals.trackers.embedded.tracker import EmbeddedTracker

_SEED, _PEOPLE, _CLIPS, _FRAMES, _SIZE_PX = 4242, 24, 24, 32, 384


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Figures `fit_joint_error_mm` and `fit_vs_raw_ratio`, with what stands behind them."""
    settings = SignalsSettings(fit="none")
    tracker, body = EmbeddedTracker(settings), AnnyBody()
    errors: dict[str, list[float]] = {}
    for plan, clip in _clips(max(2, round(_CLIPS * scale))):
        readings, camera = tracker.read(clip.frames, clip.track.frame_size)
        about = (readings, camera, clip.track.fps, clip.track.frame_size, settings)
        tracked = assemble(*about, trackers={}, source_sha256="", lifting=lifting())
        fitted = assemble(*about, trackers={}, source_sha256="", body=body, lifting=lifting())
        for name, joints in (
            ("raw", raw_joints_m(readings)),
            ("tracked", tracked.joints_cam_m),
            ("fitted", fitted.joints_cam_m),
        ):
            error_mm = root_aligned_error_mm(joints, clip.track, BODY_JOINTS)
            errors.setdefault(name, []).append(error_mm)
            errors.setdefault(f"{name}_{plan.framing}", []).append(error_mm)
            everything = root_aligned_error_mm(joints, clip.track, slice(0, JOINT_COUNT))
            errors.setdefault(f"{name}_with_hands", []).append(everything)
    means = {name: float(np.nanmean(values)) for name, values in errors.items()}
    figures: dict[str, float | bool | str | None] = {
        "fit_joint_error_mm": means["fitted"],
        "fit_vs_raw_ratio": means["fitted"] / means["raw"],
        "fit_vs_tracked_ratio": means["fitted"] / means["tracked"],
        "fit_clips": float(len(errors["fitted"])),
    }
    return figures | {f"fit_{name}_mm": value for name, value in sorted(means.items())}


def root_aligned_error_mm(joints_m: np.ndarray, truth: MotionTrack, which: slice) -> float:
    """Mean distance to the true joints in the frame; NaN when none of them is."""
    visible = truth.joint_confidence > 0.5
    moved_m = joints_m - _roots(joints_m, visible) - (truth.joints_cam_m - _roots(truth.joints_cam_m, visible))
    counted = visible.copy()
    counted[:, : which.start] = counted[:, which.stop :] = False
    return float(1000 * np.linalg.norm(moved_m, axis=-1)[counted].mean()) if counted.any() else float("nan")


def raw_joints_m(readings: list[FrameReading]) -> np.ndarray:
    """(T, J, 3) what the networks say of each frame alone; hands at the wrists, zeros where nobody was found."""
    joints_m = np.zeros((len(readings), JOINT_COUNT, 3))
    for frame, reading in enumerate(readings):
        if reading.body is None:
            continue
        for point, joint in JOINT_OF_POINT.items():
            joints_m[frame, joint] = reading.body.points_body_m[point]
        for side, hand in (("left", reading.left_hand), ("right", reading.right_hand)):
            wrist, first = joint_index(f"{side}_wrist"), joint_index(f"{side}_thumb_1")
            offset_m = 0 if hand is None else hand.points_hand_m[1:] - hand.points_hand_m[0]
            joints_m[frame, first : first + 20] = joints_m[frame, wrist] + offset_m
    for middle, ends in (("pelvis", "hip"), ("neck", "shoulder")):
        left, right = joint_index(f"left_{ends}"), joint_index(f"right_{ends}")
        joints_m[:, joint_index(middle)] = (joints_m[:, left] + joints_m[:, right]) / 2
    return joints_m


def _roots(joints_m: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(T, 1, 3) the pelvis where it is in the frame, else the neck."""
    pelvis, neck = joint_index("pelvis"), joint_index("neck")
    return np.where(visible[:, pelvis, None], joints_m[:, pelvis], joints_m[:, neck])[:, None]


def _clips(count: int) -> Iterator[tuple[ClipPlan, Clip]]:
    for plan in plan_clips(_PEOPLE, count, _SEED):
        figure = build_figure(make_identity(plan.seed, plan.person))
        yield plan, make_clip(plan, figure, (_SIZE_PX, _SIZE_PX), _FRAMES)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
