"""What was seen in single frames -> the motion track of the clip: a body fitted to mmpose's keypoints, shot by shot.

mmpose tells where joints are in the picture, the embedded body network how far its limbs point away from the camera,
the embedded face network expression and the head's turn. Each is used for what it sees best.

Legend: T video frames, K = 133 keypoints, J joints (`dreamactor_core.skeleton`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import JOINT_COUNT, PARENTS

from dreamactor_signals.average_face import average_face
from dreamactor_signals.body_models import BodyModel
from dreamactor_signals.fit.fitted_clip import FittedClip
from dreamactor_signals.fit.keypoints import Keypoints
from dreamactor_signals.smoothing import fill_gaps
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_body import joints_of_clip, place_bodies
from dreamactor_signals.trackers.embedded.clip_face import Faces, faces_of_clip
from dreamactor_signals.trackers.embedded.clip_head import Heads, fuse_heads
from dreamactor_signals.trackers.embedded.head import head_of_body
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import FrameReading, HandReading, HeadReading
from dreamactor_signals.trackers.embedded.shots import split_shots
from dreamactor_signals.trackers.embedded.sides import straighten_sides
from dreamactor_signals.trackers.mmpose.head import face_box_of_points, head_of_points
from dreamactor_signals.trackers.mmpose.layout import FACE, KEYPOINTS, LEFT_HAND, RIGHT_HAND, joints_seen
from dreamactor_signals.visibility import SEEN

# The two networks speak of the same limb where they place a joint within this share of the body's extent.
_AGREE = 0.1
# A head that only the fitted body tells of.
_BODY_HEAD_TRUST = 0.2


@dataclass(frozen=True)
class Sighting:
    """One frame.

    Attributes:
        keypoints: (K, 3) x, y in pixels and score; None where nobody was looked at.
        reading: of the embedded body and face networks.
    """

    keypoints: np.ndarray | None
    reading: FrameReading


@dataclass(frozen=True)
class Clip:
    """What all shots share."""

    camera: Camera
    fps: Fraction
    frame_size: tuple[int, int]
    settings: SignalsSettings
    body: BodyModel

    @property
    def pace(self) -> Pace:
        """Widths in frames."""
        return Pace.of(self.settings, self.fps)


def assemble(sightings: Sequence[Sighting], clip: Clip, *, trackers: dict[str, str], source_sha256: str) -> MotionTrack:
    """Put a clip together.

    Args:
        sightings: of every frame.
        clip: camera, rate, size, settings and the body to fit.
        trackers, source_sha256: pass into the track.
    """
    shots = [_shot(sightings[shot], clip) for shot in split_shots([sighting.reading for sighting in sightings])]
    arrays: dict[str, np.ndarray | None] = {name: np.concatenate([shot[name] for shot in shots]) for name in shots[0]}
    if not any(sighting.reading.face for sighting in sightings):
        # Nobody read the expression: that is not a neutral face.
        arrays["face_units"] = None
    return MotionTrack(
        **arrays,  # type: ignore[arg-type]
        focal_px=clip.camera.focal_px,
        principal_px=np.array(clip.camera.principal_px),
        frame_size=clip.frame_size,
        fps=clip.fps,
        trackers=trackers,
        source_sha256=source_sha256,
    )


def _shot(sightings: Sequence[Sighting], clip: Clip) -> dict[str, np.ndarray]:
    """A track's arrays for frames without a jump."""
    keypoints = np.array([np.zeros((KEYPOINTS, 3)) if s.keypoints is None else s.keypoints for s in sightings])
    as_read = [sighting.reading for sighting in sightings]
    readings = straighten_sides(as_read)
    seen = _bridged(*joints_seen(keypoints), clip)
    here = np.asarray(seen.confidence.max(axis=1) > 0)
    face_heads = _heads_of_faces(keypoints, readings, clip)
    depths = _own_joints(readings, seen, clip)
    evidence = replace(seen, joints_cam_m=depths, head_radius_px=_radius_px(face_heads, clip))
    fitted = _fit(evidence, clip) if here.any() else None
    heads = _heads(face_heads, as_read, fitted, here, clip)
    faces = _faces(keypoints, readings, clip)
    no_joints = np.zeros((len(here), JOINT_COUNT, 3)), np.zeros((len(here), JOINT_COUNT))
    joints_cam_m, confidence = no_joints if fitted is None else (fitted.joints_cam_m, fitted.joint_confidence)
    return {
        # A body fitted through frames that show nobody is no sighting.
        "joints_cam_m": joints_cam_m * here[:, None, None],
        "joint_confidence": np.clip(confidence, 0, 1) * here[:, None],
        **heads.arrays(),
        **faces.arrays(),
    }


def _bridged(points_px: np.ndarray, confidence: np.ndarray, clip: Clip) -> Keypoints:
    """Joints as seen, short gaps bridged one by one. The fit smooths."""
    for joint in range(JOINT_COUNT):
        points_px[:, joint], confidence[:, joint] = fill_gaps(
            points_px[:, joint], confidence[:, joint], clip.pace.max_gap
        )
    return Keypoints(points_px, confidence, clip.frame_size, focal_px=clip.camera.focal_px)


def _fit(keypoints: Keypoints, clip: Clip) -> FittedClip:
    # Imported here: torch takes longer than this package's door may.
    from dreamactor_signals.fit import fit_clip

    return fit_clip(keypoints, clip.body, fps=float(clip.fps))


def _own_joints(readings: Sequence[FrameReading], seen: Keypoints, clip: Clip) -> np.ndarray | None:
    """(T, J, 3) the embedded network's joints, where it speaks of what mmpose sees; None without any.

    A joint that it does not tell, or puts elsewhere in the picture (it may exchange left and right), lies where its
    parent lies: so that the bone to it has no direction to compare.
    """
    if not any(reading.body for reading in readings):
        return None
    bodies = [FrameReading(body=reading.body) for reading in readings]
    placed = place_bodies(bodies, clip.camera, clip.pace)
    joints_m, confidence = joints_of_clip(bodies, placed, clip.camera, clip.pace, clip.frame_size)
    told = confidence > 0
    joints_px = np.zeros_like(seen.points_px)
    joints_px[told] = clip.camera.project(joints_m[told])
    extent_px = np.array([np.ptp(r.body.points_px, axis=0).max() if r.body else 0.0 for r in readings])
    told &= np.linalg.norm(joints_px - seen.points_px, axis=-1) < _AGREE * extent_px[:, None]
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            joints_m[:, joint] = np.where(told[:, joint, None], joints_m[:, joint], joints_m[:, parent])
    return joints_m.astype(np.float32)


def _heads_of_faces(keypoints: np.ndarray, readings: Sequence[FrameReading], clip: Clip) -> list[HeadReading | None]:
    """Heads of the face network, else of mmpose's face points."""
    return [
        reading.face.head if reading.face else head_of_points(points, clip.camera)
        for reading, points in zip(readings, keypoints[:, FACE], strict=True)
    ]


def _radius_px(heads: Sequence[HeadReading | None], clip: Clip) -> np.ndarray:
    """(T,) how large the skull sphere is seen, 0 without a face: it tells the fit how far away a person is."""
    skull_m = average_face().skull_radius_m * clip.camera.focal_px
    return np.array([skull_m / head.center_cam_m[2] if head else 0.0 for head in heads], dtype=np.float32)


def _heads(
    heads: Sequence[HeadReading | None],
    readings: Sequence[FrameReading],
    fitted: FittedClip | None,
    here: np.ndarray,
    clip: Clip,
) -> Heads:
    """A clip's heads: of faces, else as the embedded body's face points tell them, at last of the fitted body.

    Args:
        heads: of faces.
        readings: with left and right as they were read.
        fitted: the body, in the frames that are here.
    """
    rough = [head_of_body(reading.body, clip.camera) if reading.body else None for reading in readings]
    depth_m = np.zeros(len(heads))
    if fitted is not None:
        depth_m = fitted.head_center_cam_m[:, 2] * here
        for t in map(int, np.flatnonzero(here)):
            if heads[t] is None and rough[t] is None:
                rough[t] = HeadReading(fitted.head_rotation[t], fitted.head_center_cam_m[t], _BODY_HEAD_TRUST)
    return fuse_heads(heads, rough, depth_m, clip.camera, clip.pace)


def _faces(keypoints: np.ndarray, readings: Sequence[FrameReading], clip: Clip) -> Faces:
    """Faces of the face network; where it finds none, the box alone of mmpose's face points, with units of zero."""
    hands = [
        replace(reading, left_hand=_hand(points[LEFT_HAND], 0.0), right_hand=_hand(points[RIGHT_HAND], 1.0))
        for reading, points in zip(readings, keypoints, strict=True)
    ]
    faces = faces_of_clip(hands, clip.pace)
    boxes_px, confidence = faces.boxes_px.copy(), faces.confidence.copy()
    for t in np.flatnonzero(confidence == 0):
        boxes_px[t], confidence[t] = face_box_of_points(keypoints[t, FACE])
    return replace(faces, boxes_px=boxes_px, confidence=confidence)


def _hand(points: np.ndarray, right_score: float) -> HandReading | None:
    """One of mmpose's hands as the embedded networks tell theirs, without depths; None when it is not seen."""
    score = float(points[:, 2].mean())
    if score < SEEN:
        return None
    points_px = points[:, :2].astype(np.float64)
    return HandReading(points_px, np.zeros((len(points_px), 3)), score, right_score)
