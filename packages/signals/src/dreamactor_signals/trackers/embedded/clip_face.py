"""A clip's face: whole boxes, expression without its flicker, and how much of the face a hand hides.

Legend: T video frames, U face units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS

from dreamactor_signals.smoothing import fill_gaps, smooth_flicker
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import FrameReading, HandReading

# Differences of a unit's weight up to about this are the network's flicker, whatever the clip.
_MOST_FLICKER = 0.02
# A face that was not read has no known expression: it stays below what is measured (`visibility.SEEN`).
_GLIMPSE_TRUST = 0.25
_OCCLUSION_GRID = 48
# A hand's landmarks run along its bones; its flesh reaches further by this share of the face.
_FLESH = 0.05


@dataclass(frozen=True)
class Faces:
    """(T, ...) boxes, expression units, confidence, and the share of the face that is hidden."""

    boxes_px: np.ndarray
    units: np.ndarray
    confidence: np.ndarray
    occlusion: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names of the track."""
        return {
            "face_boxes_px": self.boxes_px,
            "face_confidence": self.confidence,
            "face_units": self.units,
            "face_occlusion": self.occlusion,
        }


def faces_of_clip(readings: Sequence[FrameReading], pace: Pace) -> Faces:
    """Boxes and expression, bridged over short gaps. Flicker goes, a blink of three frames and a closing mouth stay.

    A face that was glimpsed only has a box, units of zero, and too little confidence to be measured.
    """
    seen_px, trust = (np.array(values) for values in zip(*map(_sighting, readings), strict=True))
    boxes, confidence = fill_gaps(seen_px, trust, pace.max_gap)
    score = np.array([reading.face.score if reading.face else 0.0 for reading in readings])
    units = np.array([reading.face.units if reading.face else np.zeros(len(ARKIT_UNITS)) for reading in readings])
    units, read = fill_gaps(units, score, pace.max_gap)
    units = smooth_flicker(units, read, pace.units, _MOST_FLICKER)
    hidden = [_hidden_share(reading, box_px) for reading, box_px in zip(readings, seen_px, strict=True)]
    occlusion, _ = fill_gaps(np.array(hidden), trust, pace.max_gap)
    return Faces(boxes, np.clip(units, 0, 1), np.maximum(confidence, read).clip(0, 1), np.clip(occlusion, 0, 1))


def _sighting(reading: FrameReading) -> tuple[np.ndarray, float]:
    """(4,) where the face is, read or glimpsed, and how far to trust it; zeros without one."""
    if reading.face is not None:
        return reading.face.box_px, reading.face.score
    if reading.glimpse is not None:
        return reading.glimpse.box_px, _GLIMPSE_TRUST * reading.glimpse.score
    return np.zeros(4), 0.0


def _hidden_share(reading: FrameReading, box_px: np.ndarray) -> float:
    """Share of the ellipse in the face's box that lies under the outlines of the hands."""
    hands = [hand for hand in (reading.left_hand, reading.right_hand) if hand is not None]
    if not box_px.any() or not hands:
        return 0.0
    face = np.zeros((_OCCLUSION_GRID, _OCCLUSION_GRID), np.uint8)
    half = _OCCLUSION_GRID // 2
    cv2.ellipse(face, (half, half), (half, half), 0, 0, 360, 1, thickness=-1)
    covered = np.zeros_like(face)
    for hand in hands:
        _paint_hand(covered, hand, box_px)
    return float((face & covered).sum() / face.sum())


def _paint_hand(covered: np.ndarray, hand: HandReading, box_px: np.ndarray) -> None:
    extent_px = np.maximum(box_px[2:] - box_px[:2], 1e-6)
    # Far outside the grid OpenCV's integers would overflow.
    points = np.clip((hand.points_px - box_px[:2]) / extent_px, -9, 9) * _OCCLUSION_GRID
    outline = cv2.convexHull(np.round(points).astype(np.int32))
    cv2.fillConvexPoly(covered, outline, 1)
    cv2.polylines(covered, [outline], isClosed=True, color=1, thickness=round(2 * _FLESH * _OCCLUSION_GRID))
