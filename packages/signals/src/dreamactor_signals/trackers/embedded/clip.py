"""Readings of single frames -> the motion track of the clip."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_body import joints_of_clip, place_bodies
from dreamactor_signals.trackers.embedded.clip_head import faces_of_clip, heads_of_clip
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import FrameReading


def assemble(
    readings: Sequence[FrameReading],
    camera: Camera,
    fps: Fraction,
    frame_size: tuple[int, int],
    settings: SignalsSettings,
    *,
    trackers: dict[str, str],
    source_sha256: str,
) -> MotionTrack:
    """Put a clip together: place, bridge gaps, smooth.

    Args:
        readings: of every frame, at least one with a body or a face.
        camera: that the readings were made with.
        fps, frame_size, trackers, source_sha256: pass into the track.
        settings: widths of the smoothing and of the gaps.
    """
    pace = Pace.of(settings, fps)
    body = place_bodies(readings, camera, pace)
    joints_cam_m, joint_confidence = joints_of_clip(readings, body, camera, pace, frame_size)
    heads = heads_of_clip(readings, body, camera, pace)
    faces = faces_of_clip(readings, pace)
    return MotionTrack(
        joints_cam_m=joints_cam_m,
        joint_confidence=joint_confidence,
        focal_px=camera.focal_px,
        principal_px=np.array(camera.principal_px),
        frame_size=frame_size,
        fps=fps,
        head_rotation=heads.rotation,
        head_center_cam_m=heads.center_cam_m,
        head_radius_m=heads.radius_m,
        head_confidence=heads.confidence,
        face_boxes_px=faces.boxes_px,
        face_confidence=faces.confidence,
        face_units=faces.units,
        trackers=trackers,
        source_sha256=source_sha256,
    )
