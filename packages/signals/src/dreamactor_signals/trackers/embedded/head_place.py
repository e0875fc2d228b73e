"""Where the skull is, from two networks: what the body's face points lie apart from where the face has them.

A face tells how the head is turned better than where the skull behind it is: foreheads and depths differ, and the skull
is as far behind the face as an error of its turn moves it. The body's network sees eyes, ears and mouth in its own way;
how far they lie from where the head of the face has them, in this frame and in the shot on average, tells some of it.
The linear map from that to what is missing was fitted with the rest of the calibration (`head_calibration`).

Legend: T video frames, A = 3 angles, F terms, D = 2 x 11 distances.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dreamactor_signals.average_face import AverageFace
from dreamactor_signals.trackers.embedded.body import Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.head import canonical_body_points, ray_rotation
from dreamactor_signals.trackers.embedded.head_calibration import (
    head_calibration,
    roll_nod_yaw,
    terms,
)
from dreamactor_signals.trackers.embedded.readings import BodyReading, HeadReading

# Points further from the head than its radius are of another head, or of nobody's.
_MOST_APART = 1.0
# In a close-up without shoulders the body's network guesses the whole body, its face points too.
_LEAST_SHOULDER = 0.5


@dataclass(frozen=True)
class Apart:
    """One frame's body against its face.

    Attributes:
        angle_terms: (F,) of the head's angles.
        distances: (D,) radii from where the head has each point to where the body has it, across and down the head.
        axes: (2, 2) rows: across and down the head, in the picture.
    """

    angle_terms: np.ndarray
    distances: np.ndarray
    axes: np.ndarray


def apart(
    rotation: np.ndarray, center_px: np.ndarray, radius_px: float, points_px: np.ndarray, face: AverageFace
) -> Apart:
    """Compare a head, turned as seen along its own ray (3, 3), with the body's points (P, 2)."""
    names, canonical_head_m = canonical_body_points(face)
    expected = canonical_head_m @ rotation[:2].T / face.skull_radius_m
    down = rotation[:2, 1] / max(float(np.linalg.norm(rotation[:2, 1])), 1e-6)
    axes = np.array([(down[1], -down[0]), down])
    distances = ((points_px[names] - center_px) / radius_px - expected) @ axes.T
    angle_terms = terms(roll_nod_yaw(rotation)[None], np.zeros((1, 0)))[0]
    return Apart(angle_terms, distances.ravel(), axes)


def place_terms(frames: Sequence[Apart], body_by_angles: np.ndarray) -> np.ndarray:
    """(T, F + 2D) what the shift is linear in: angles, distances beyond what angles explain, and the mean of these."""
    angle_terms = np.array([frame.angle_terms for frame in frames])
    beyond = np.array([frame.distances for frame in frames]) - angle_terms @ body_by_angles
    return np.concatenate([angle_terms, beyond, np.broadcast_to(beyond.mean(axis=0), beyond.shape)], axis=1)


def place_by_body(
    heads: Sequence[HeadReading | None], bodies: Sequence[BodyReading | None], camera: Camera
) -> list[HeadReading | None]:
    """Heads of faces in a shot, moved in the picture to where the body's face points tell; turns stay.

    Args:
        heads: T readings of faces.
        bodies: T readings; where there is none, or one that is far off, the head stays. In a shot that mostly shows no
            shoulders all heads stay.
        camera: that took the shot.
    """
    calibration = head_calibration()
    found: dict[int, Apart] = {}
    for frame, (head, body) in enumerate(zip(heads, bodies, strict=True)):
        if head is not None and body is not None:
            along_ray = ray_rotation(head.center_cam_m).T @ head.rotation
            radius_px = camera.focal_px * calibration.face.skull_radius_m / head.center_cam_m[2]
            one = apart(along_ray, camera.project(head.center_cam_m), radius_px, body.points_px, calibration.face)
            if np.abs(one.distances).max() < _MOST_APART:
                found[frame] = one
    placed = list(heads)
    shoulders = [body.visibility[[Point.LEFT_SHOULDER, Point.RIGHT_SHOULDER]].mean() for body in bodies if body]
    if not found or np.median(shoulders) < _LEAST_SHOULDER:
        return placed
    shifts = place_terms(list(found.values()), calibration.body_by_angles) @ calibration.place_weights
    for (frame, one), shift in zip(found.items(), shifts, strict=True):
        head = heads[frame]
        if head is not None:
            # A radius in the picture is the skull's radius at the skull's depth.
            shift_m = np.append(shift @ one.axes, 0.0) * calibration.face.skull_radius_m
            placed[frame] = replace(head, center_cam_m=head.center_cam_m + shift_m)
    return placed
