"""A clip's head: readings of single frames -> a smooth skull sphere.

Legend: T video frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dreamactor_signals.rotations import nearest_rotation
from dreamactor_signals.smoothing import fill_gaps, smooth, smooth_rotations
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_body import PlacedBody
from dreamactor_signals.trackers.embedded.head import SKULL_RADIUS_M, head_of_body
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import FrameReading, HeadReading


@dataclass(frozen=True)
class Heads:
    """(T, ...) pose, centre, radius and confidence of the skull sphere."""

    rotation: np.ndarray
    center_cam_m: np.ndarray
    radius_m: np.ndarray
    confidence: np.ndarray


def heads_of_clip(readings: Sequence[FrameReading], body: PlacedBody, camera: Camera, pace: Pace) -> Heads:
    """Heads of faces; where the face stays lost, heads of the body's face points."""
    faces = [reading.face.head if reading.face else None for reading in readings]
    bodies = [head_of_body(reading.body, camera) if reading.body else None for reading in readings]
    return fuse_heads(faces, bodies, body.ears_depth_m(), camera, pace)


def fuse_heads(
    heads: Sequence[HeadReading | None],
    rough: Sequence[HeadReading | None],
    body_depth_m: np.ndarray,
    camera: Camera,
    pace: Pace,
) -> Heads:
    """Heads of a clip, bridged over short gaps, at the body's distance.

    Args:
        heads: T readings of faces.
        rough: T readings of bodies, for where the face stays lost.
        body_depth_m: (T,) distance of the body's head, 0 without a body.
    """
    rotation, center, confidence = _fill_heads(heads, pace)
    scale = _scale_to_body(center[:, 2], body_depth_m, confidence)
    center = center * scale
    rough_rotation, rough_center, rough_confidence = _fill_heads(rough, pace)
    lost = (confidence == 0) & (rough_confidence > 0) & (body_depth_m > 0)
    rotation[lost], confidence[lost] = rough_rotation[lost], rough_confidence[lost]
    center[lost] = rough_center[lost] * (body_depth_m / np.maximum(rough_center[:, 2], 1e-6))[lost, None]
    here = confidence > 0
    center_px = np.zeros((len(heads), 2))
    center_px[here] = camera.project(center[here])
    center_px = smooth(center_px, confidence, pace.image)
    depth_m = smooth(center[:, 2], confidence, pace.depth)
    return Heads(
        rotation=smooth_rotations(rotation, confidence, pace.image),
        center_cam_m=camera.unproject(center_px, depth_m) * here[:, None],
        radius_m=SKULL_RADIUS_M * scale * here,
        confidence=np.clip(confidence, 0, 1),
    )


def _fill_heads(heads: Sequence[HeadReading | None], pace: Pace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotations (identity where missing), centres and confidences of a clip, short gaps bridged."""
    confidence = np.array([head.confidence if head else 0.0 for head in heads])
    rotation = np.array([head.rotation if head else np.eye(3) for head in heads])
    center = np.array([head.center_cam_m if head else np.zeros(3) for head in heads])
    rotation, _ = fill_gaps(rotation, confidence, pace.max_gap)
    center, trust = fill_gaps(center, confidence, pace.max_gap)
    rotation[trust == 0] = np.eye(3)
    return nearest_rotation(rotation), center, trust


def _scale_to_body(head_depth_m: np.ndarray, ears_depth_m: np.ndarray, confidence: np.ndarray) -> float:
    """How much larger than average the head is, if it is to stand where the body stands.

    An average head's distance follows from its size in the picture, the body's from its own: they differ by a person's
    proportions. One factor for the whole clip brings them together and keeps the head's size constant.
    """
    both = (confidence > 0) & (ears_depth_m > 0) & (head_depth_m > 0)
    return float(np.median(ears_depth_m[both] / head_depth_m[both])) if both.any() else 1.0
