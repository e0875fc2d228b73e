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
    """Boxes and expression, bridged over short gaps. Flicker goes, a blink of three frames and a closing mouth stay."""
    score = np.array([reading.face.score if reading.face else 0.0 for reading in readings])
    boxes = np.array([reading.face.box_px if reading.face else np.zeros(4) for reading in readings])
    units = np.array([reading.face.units if reading.face else np.zeros(len(ARKIT_UNITS)) for reading in readings])
    boxes, confidence = fill_gaps(boxes, score, pace.max_gap)
    units, _ = fill_gaps(units, score, pace.max_gap)
    units = smooth_flicker(units, confidence, pace.units, _MOST_FLICKER)
    occlusion, _ = fill_gaps(np.array([_hidden_share(reading) for reading in readings]), score, pace.max_gap)
    return Faces(boxes, np.clip(units, 0, 1), np.clip(confidence, 0, 1), np.clip(occlusion, 0, 1))


def _hidden_share(reading: FrameReading) -> float:
    """Share of the ellipse in the face's box that lies under the outlines of the hands."""
    hands = [hand for hand in (reading.left_hand, reading.right_hand) if hand is not None]
    if reading.face is None or not hands:
        return 0.0
    face = np.zeros((_OCCLUSION_GRID, _OCCLUSION_GRID), np.uint8)
    half = _OCCLUSION_GRID // 2
    cv2.ellipse(face, (half, half), (half, half), 0, 0, 360, 1, thickness=-1)
    covered = np.zeros_like(face)
    for hand in hands:
        _paint_hand(covered, hand, reading.face.box_px)
    return float((face & covered).sum() / face.sum())


def _paint_hand(covered: np.ndarray, hand: HandReading, box_px: np.ndarray) -> None:
    extent_px = np.maximum(box_px[2:] - box_px[:2], 1e-6)
    # Far outside the grid OpenCV's integers would overflow.
    points = np.clip((hand.points_px - box_px[:2]) / extent_px, -9, 9) * _OCCLUSION_GRID
    outline = cv2.convexHull(np.round(points).astype(np.int32))
    cv2.fillConvexPoly(covered, outline, 1)
    cv2.polylines(covered, [outline], isClosed=True, color=1, thickness=round(2 * _FLESH * _OCCLUSION_GRID))
