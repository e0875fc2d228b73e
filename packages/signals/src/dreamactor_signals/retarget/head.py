"""The retargeted head: turned as the driving head, as large and as far from the neck as the reference's (paper 3.2).

Legend: T video frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.retarget.rebuild import NECK
from dreamactor_signals.retarget.robust import weighted_median

# How far the skull's centre is from the neck, in radii of the skull: 2.3 to 3.1 in adults. One picture is easily off by
# half of it, where it does not tell how far the shoulders are behind the face.
_LEAST_NECK, _LONGEST_NECK = 1.8, 3.2


@dataclass(frozen=True)
class PlacedHead:
    """(T, 3) centres in camera space and (T,) radii, zeros where the driving head is missing."""

    center_cam_m: np.ndarray
    radius_m: np.ndarray


def place_head(
    driving: MotionTrack,
    reference: MotionTrack,
    neck_cam_m: np.ndarray,
    new_neck_cam_m: np.ndarray,
    scale: float,
    factors: Mapping[str, float],
) -> PlacedHead:
    """Put the driving head on the retargeted neck: its direction from the neck stays, the distance is the reference's.

    Args:
        neck_cam_m, new_neck_cam_m: (T, 3) of the driving person, before and after.
        scale: size ratio, for what the reference does not show.
        factors: a user's, of which `head` is on the skull's size and `neck` on its distance from the neck.
    """
    present = driving.head_confidence > 0
    offset_m = driving.head_center_cam_m.astype(np.float64) - neck_cam_m
    distance_m = np.linalg.norm(offset_m, axis=1)
    new_distance_m = _neck_to_head_m(reference) or scale * float(weighted_median(distance_m, driving.head_confidence))
    direction = offset_m / np.where(distance_m > 0, distance_m, 1)[:, None]
    new_distance_m *= factors.get("neck", 1.0)
    radius_m = (head_radius_m(reference) or scale * head_radius_m(driving)) * factors.get("head", 1.0)
    return PlacedHead(
        (new_neck_cam_m + direction * new_distance_m) * present[:, None],
        radius_m * present,
    )


def head_radius_m(track: MotionTrack) -> float:
    """Median radius of the skull over the clip; 0 if it is never seen."""
    return float(weighted_median(track.head_radius_m, track.head_confidence))


def _neck_to_head_m(track: MotionTrack) -> float:
    """Median distance over the clip, within what bodies have; 0 if head and neck are never seen together."""
    distance_m = np.linalg.norm(track.head_center_cam_m - track.joints_cam_m[:, NECK], axis=1)
    median_m = float(weighted_median(distance_m, np.minimum(track.head_confidence, track.joint_confidence[:, NECK])))
    radius_m = head_radius_m(track)
    return float(np.clip(median_m, _LEAST_NECK * radius_m, _LONGEST_NECK * radius_m)) if median_m else 0.0
