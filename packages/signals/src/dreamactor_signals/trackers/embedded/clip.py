"""Readings of single frames -> the motion track of the clip."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.body_models.protocol import BodyModel
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_body import joints_of_clip, place_bodies
from dreamactor_signals.trackers.embedded.clip_face import faces_of_clip
from dreamactor_signals.trackers.embedded.clip_head import Heads, heads_of_clip
from dreamactor_signals.trackers.embedded.fitted import fitted_clip
from dreamactor_signals.trackers.embedded.lifting import Lifting
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import FrameReading
from dreamactor_signals.trackers.embedded.shots import split_shots
from dreamactor_signals.trackers.embedded.sides import straighten_sides


def assemble(
    readings: Sequence[FrameReading],
    camera: Camera,
    fps: Fraction,
    frame_size: tuple[int, int],
    settings: SignalsSettings,
    *,
    trackers: dict[str, str],
    source_sha256: str,
    body: BodyModel | None = None,
    lifting: Lifting | None = None,
) -> MotionTrack:
    """Put a clip together, shot by shot.

    Args:
        readings: of every frame, at least one with a body or a face.
        camera: that the readings were made with.
        fps, frame_size, trackers, source_sha256: pass into the track.
        settings: widths of the smoothing and of the gaps.
        body: to fit to each shot; None takes the networks' joints as they are.
        lifting: what turns the body network's points into joints; None takes its points for joints.
    """
    pace = Pace.of(settings, fps)
    fit = (
        None if body is None else partial(fitted_clip, camera=camera, frame_size=frame_size, fps=float(fps), body=body)
    )
    lift = None if lifting is None else partial(lifting.lift, camera=camera, fps=float(fps))
    shots = [_shot(readings[shot], camera, pace, frame_size, lift, fit) for shot in split_shots(readings)]
    return MotionTrack(
        **{name: np.concatenate([shot[name] for shot in shots]) for name in shots[0]},
        focal_px=camera.focal_px,
        principal_px=np.array(camera.principal_px),
        frame_size=frame_size,
        fps=fps,
        trackers=trackers,
        source_sha256=source_sha256,
    )


def _shot(
    readings: Sequence[FrameReading],
    camera: Camera,
    pace: Pace,
    frame_size: tuple[int, int],
    lift: Callable[[Sequence[FrameReading]], list[FrameReading]] | None,
    fit: Callable[[np.ndarray, np.ndarray, Heads], tuple[np.ndarray, np.ndarray, Heads]] | None,
) -> dict[str, np.ndarray]:
    """A track's arrays for frames without a jump: set sides straight, lift, place, bridge gaps, smooth, fit."""
    straight = straighten_sides(readings)
    jointed = straight if lift is None else lift(straight)
    body = place_bodies(jointed, camera, pace)
    joints_cam_m, joint_confidence = joints_of_clip(jointed, body, camera, pace, frame_size)
    heads = heads_of_clip(readings, body, camera, pace)
    if fit is not None:
        joints_cam_m, joint_confidence, heads = fit(joints_cam_m, joint_confidence, heads)
    faces = faces_of_clip(straight, pace)
    return {
        "joints_cam_m": joints_cam_m,
        "joint_confidence": joint_confidence,
        **heads.arrays(),
        **faces.arrays(),
    }
