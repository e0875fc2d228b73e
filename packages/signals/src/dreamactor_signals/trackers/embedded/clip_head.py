"""A clip's head: readings of single frames -> a smooth skull sphere that never tears.

The face tells best; where it is lost, because the person turns away, the body's face points tell roughly. Both say the
same where both see, so a stretch without a face starts from what they differed by at its ends.

Legend: T video frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dreamactor_signals.average_face import average_face
from dreamactor_signals.rotations import nearest_rotation, rotation_of_vector, vector_of_rotation
from dreamactor_signals.smoothing import fill_gaps, smooth, smooth_rotations
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_body import PlacedBody
from dreamactor_signals.trackers.embedded.head import head_of_body
from dreamactor_signals.trackers.embedded.head_place import place_by_body
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import FrameReading, HeadReading
from dreamactor_signals.trackers.embedded.turning import angles_between_rad, face_the_right_way

# A face found on a head that the body turns further away than this is a pattern of the hair.
_MOST_APART_RAD = 1.0
# A head's size against its average over some of the body's widths in time: what may be misread, and how much of it is.
_SLOW, _MISREAD, _HELD_BACK = 3.0, 0.05, 0.7


@dataclass(frozen=True)
class Heads:
    """(T, ...) pose, centre, radius and confidence of the skull sphere."""

    rotation: np.ndarray
    center_cam_m: np.ndarray
    radius_m: np.ndarray
    confidence: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names of the track."""
        return {
            "head_rotation": self.rotation,
            "head_center_cam_m": self.center_cam_m,
            "head_radius_m": self.radius_m,
            "head_confidence": self.confidence,
        }


def heads_of_clip(readings: Sequence[FrameReading], body: PlacedBody, camera: Camera, pace: Pace) -> Heads:
    """Heads of faces; where the face stays lost, heads of the body's face points.

    Args:
        readings: T, with left and right as they were read: whether they were exchanged is judged by the heads here.
        body: the same frames' bodies, in camera space.
        camera: that took the clip.
        pace: of the smoothing.
    """
    faces = [reading.face.head if reading.face else None for reading in readings]
    bodies = [head_of_body(reading.body, camera) if reading.body else None for reading in readings]
    faces = place_by_body(faces, [reading.body for reading in readings], camera)
    glimpsed = np.array([reading.glimpse is not None for reading in readings])
    return fuse_heads(faces, bodies, body.ears_depth_m(), camera, pace, glimpsed)


def fuse_heads(
    heads: Sequence[HeadReading | None],
    rough: Sequence[HeadReading | None],
    body_depth_m: np.ndarray,
    camera: Camera,
    pace: Pace,
    glimpsed: np.ndarray | None = None,
) -> Heads:
    """Heads of a clip, bridged over short gaps, at the body's distance.

    Args:
        heads: T readings of faces.
        rough: T readings of bodies, for where the face stays lost.
        body_depth_m: (T,) distance of the body's head, 0 without a body.
        glimpsed: (T,) bool, where a face was seen that could not be read; None if nowhere.
    """
    rotation, center, confidence = _stack(_believed(heads, rough))
    rough_rotation, rough_center, rough_confidence = _stack(rough)
    scale = _scale_to_body(center[:, 2], body_depth_m, confidence)
    center = center * scale
    known, face_seen = (rough_confidence > 0) & (body_depth_m > 0), confidence > 0
    rough_center *= (body_depth_m / np.maximum(rough_center[:, 2], 1e-6))[:, None]
    unseen = ~face_seen if glimpsed is None else ~(face_seen | glimpsed)
    rough_rotation = face_the_right_way(rough_rotation, known, rotation, face_seen, unseen, pace.max_gap)
    # Coarse points leap from one guess to the next: they are steadied far more than a face.
    steady_frames = pace.max_gap / 2
    rough_rotation = smooth_rotations(rough_rotation, rough_confidence, steady_frames)
    rough_confidence = smooth(rough_confidence, known.astype(np.float64), steady_frames)
    lost = known & ~face_seen
    drift = _Drift.between(rough_rotation, rough_center, rotation, center, known & face_seen, pace)
    rotation[lost], center[lost] = drift.onto(rough_rotation, rough_center, lost)
    confidence[lost] = rough_confidence[lost]
    rotation, _ = fill_gaps(rotation, confidence, pace.max_gap)
    center, confidence = fill_gaps(center, confidence, pace.max_gap)
    rotation[confidence == 0] = np.eye(3)
    rotation = nearest_rotation(rotation)
    here = confidence > 0
    center_px = np.zeros((len(heads), 2))
    center_px[here] = camera.project(center[here])
    center_px = smooth(center_px, confidence, pace.image)
    depth_m = _steady_depth(smooth(center[:, 2], confidence, pace.depth), confidence, pace)
    return Heads(
        rotation=smooth_rotations(rotation, confidence, pace.image),
        center_cam_m=camera.unproject(center_px, depth_m) * here[:, None],
        radius_m=average_face().skull_radius_m * scale * here,
        confidence=np.clip(confidence, 0, 1),
    )


@dataclass(frozen=True)
class _Drift:
    """What rough heads lack where faces are seen too; it fades with the time since.

    Attributes:
        frames: (N,) in which both are seen.
        turns: (N, 3) rotation vectors from rough to true.
        shifts_m: (N, 3) from rough to true centres.
        fade_frames: in which it falls by a factor of e.
    """

    frames: np.ndarray
    turns: np.ndarray
    shifts_m: np.ndarray
    fade_frames: float

    @classmethod
    def between(
        cls,
        rough_rotation: np.ndarray,
        rough_center: np.ndarray,
        rotation: np.ndarray,
        center: np.ndarray,
        both: np.ndarray,
        pace: Pace,
    ) -> "_Drift":
        frames = np.flatnonzero(both)
        turns = vector_of_rotation(rotation[frames] @ rough_rotation[frames].transpose(0, 2, 1))
        return cls(frames, turns, center[frames] - rough_center[frames], max(float(pace.max_gap), 1.0))

    def onto(self, rotation: np.ndarray, center: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rotations and centres of the lost frames, corrected by the nearest frame before and after that saw both."""
        at = np.flatnonzero(lost)
        if len(self.frames) == 0:
            return rotation[at], center[at]
        after = np.searchsorted(self.frames, at)
        turn, shift_m = np.zeros((len(at), 3)), np.zeros((len(at), 3))
        for nearest, there in ((after - 1, after > 0), (after, after < len(self.frames))):
            nearest = np.clip(nearest, 0, len(self.frames) - 1)
            weight = np.exp(-np.abs(self.frames[nearest] - at) / self.fade_frames) * there
            turn += weight[:, None] * self.turns[nearest]
            shift_m += weight[:, None] * self.shifts_m[nearest]
        return rotation_of_vector(turn) @ rotation[at], center[at] + shift_m


def _believed(heads: Sequence[HeadReading | None], rough: Sequence[HeadReading | None]) -> list[HeadReading | None]:
    """Faces, without those that the body contradicts."""
    return [
        None if face and body and angles_between_rad(face.rotation, body.rotation) > _MOST_APART_RAD else face
        for face, body in zip(heads, rough, strict=True)
    ]


def _stack(heads: Sequence[HeadReading | None]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotations (identity where missing), centres and confidences of a clip."""
    rotation = np.array([head.rotation if head else np.eye(3) for head in heads])
    center = np.array([head.center_cam_m if head else np.zeros(3) for head in heads])
    return rotation, center, np.array([head.confidence if head else 0.0 for head in heads])


def _steady_depth(depth_m: np.ndarray, confidence: np.ndarray, pace: Pace) -> np.ndarray:
    """Depths (T,) with their small changes held back; walks towards the camera and leaps stay.

    How large a face is read errs by some hundredths, differently when the head is turned another way: a head that
    turns seems to grow or to shrink.
    """
    ratio = depth_m / np.maximum(smooth(depth_m, confidence, _SLOW * pace.root), 1e-9)
    change = np.log(np.where(ratio > 0, ratio, 1.0))
    return np.asarray(depth_m * np.exp(-_HELD_BACK * change * np.exp(-0.5 * (change / _MISREAD) ** 2)))


def _scale_to_body(head_depth_m: np.ndarray, ears_depth_m: np.ndarray, confidence: np.ndarray) -> float:
    """How much larger than average the head is, if it is to stand where the body stands.

    An average head's distance follows from its size in the picture, the body's from its own: they differ by a person's
    proportions. One factor for the whole clip brings them together and keeps the head's size constant.
    """
    both = (confidence > 0) & (ears_depth_m > 0) & (head_depth_m > 0)
    return float(np.median(ears_depth_m[both] / head_depth_m[both])) if both.any() else 1.0
