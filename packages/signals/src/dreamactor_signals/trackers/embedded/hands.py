"""Hand landmarks: each hand is looked for at its body's wrist, then followed from frame to frame.

Legend: H = 21 hand points: the wrist, then four of each finger from the thumb on.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dreamactor_signals.litert.detector import Detection, Detector, DetectorLayout
from dreamactor_signals.litert.network import Network
from dreamactor_signals.litert.regions import Region, angle_upright, region_around
from dreamactor_signals.litert.wheels import body_network
from dreamactor_signals.trackers.embedded.body import Point
from dreamactor_signals.trackers.embedded.readings import BodyReading, HandReading

POINTS = 21
Side = Literal["left", "right"]

_LAYOUT = DetectorLayout(grids=((24, 2), (12, 6)), low=0.0, boxes="Identity", scores="Identity_1")
# Palm keypoints: the wrist and the middle finger's knuckle.
_PALM_AXIS = (0, 2)
_PALM_MARGIN, _PALM_SHIFT = 2.6, -0.5
# The next region is drawn around wrist and knuckles, so that moving fingers do not shake it.
_STEADY = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
_INDEX_KNUCKLE, _MIDDLE_KNUCKLE, _RING_KNUCKLE = 5, 9, 13
_TRACK_MARGIN, _TRACK_SHIFT = 2.0, -0.1
# The body's hand points span about a fifth of the square in which its whole hand is sure to lie.
_SEARCH_PER_REACH = 6.0
_WRIST_VISIBLE = 0.4
# A hand whose wrist is further from the body's wrist than this share of the hand's region belongs to someone else.
_SAME_WRIST = 0.5


@dataclass(frozen=True)
class _Arm:
    """The body points that tell of one hand."""

    wrist: Point
    index: Point
    pinky: Point


_ARMS: dict[Side, _Arm] = {
    "left": _Arm(Point.LEFT_WRIST, Point.LEFT_INDEX, Point.LEFT_PINKY),
    "right": _Arm(Point.RIGHT_WRIST, Point.RIGHT_INDEX, Point.RIGHT_PINKY),
}


class HandNetworks:
    """The palm detector and the landmark network, shared by both hands.

    Args:
        threads: of each network.
        min_score: below it no hand is found, or the one followed is lost.

    Raises:
        WeightsError: the networks are not installed.
    """

    def __init__(self, *, threads: int, min_score: float) -> None:
        detector = Network(body_network("palm_detection/palm_detection_full.tflite"), threads=threads)
        self.palms = Detector(detector, _LAYOUT, min_score=min_score)
        self.landmarks = Network(body_network("hand_landmark/hand_landmark_full.tflite"), threads=threads)
        self.min_score = min_score


class HandReader:
    """Follows one hand of the body.

    Args:
        networks: shared by both hands.
        side: the person's own.
    """

    def __init__(self, networks: HandNetworks, side: Side) -> None:
        self._networks = networks
        self._side: Side = side
        self._arm = _ARMS[side]
        self._region: Region | None = None

    def read(self, frame: np.ndarray, body: BodyReading | None) -> HandReading | None:
        """The hand in the next frame, or None. Without a body nothing tells whose hand it would be."""
        if body is None or body.visibility[self._arm.wrist] < _WRIST_VISIBLE:
            self._region = None
            return None
        if self._region is not None:
            reading = self._read_region(frame, self._region, body)
            if reading is not None:
                return reading
        search = self._search_region(body)
        return self._read_region(frame, self._palm_region(frame, search) or search.scaled(0.5), body)

    def _search_region(self, body: BodyReading) -> Region:
        """Where the body's arm ends, fingers up."""
        wrist, index, pinky = (body.points_px[p] for p in (self._arm.wrist, self._arm.index, self._arm.pinky))
        middle = (2 * index + pinky) / 3
        reach_px = max(float(np.linalg.norm(middle - wrist)), 1.0)
        center = (float(middle[0]), float(middle[1]))
        return Region(center, reach_px * _SEARCH_PER_REACH, angle_upright(wrist, middle))

    def _palm_region(self, frame: np.ndarray, search: Region) -> Region | None:
        """The palm nearest to the middle of the search, with its fingers."""
        found = self._networks.palms.detect(frame, search)
        if not found:
            return None
        return _hand_region(min(found, key=lambda palm: _distance(palm.box_center_px, search.center_px)))

    def _read_region(self, frame: np.ndarray, region: Region, body: BodyReading) -> HandReading | None:
        """Landmarks in the region; what it shows decides the next frame's region."""
        size = self._networks.landmarks.input_size
        outputs = self._networks.landmarks(region.crop(frame, size).astype(np.float32) / 255)
        score = float(outputs["Identity_1"][0, 0])
        points_px = region.to_frame(outputs["Identity"].reshape(POINTS, 3)[:, :2].astype(np.float64) / size)
        wrist_gap_px = _distance(points_px[0], body.points_px[self._arm.wrist])
        if score < self._networks.min_score or wrist_gap_px > _SAME_WRIST * region.side_px:
            self._region = None
            return None
        self._region = _next_region(points_px)
        world = region.turn(outputs["Identity_3"].reshape(POINTS, 3))
        return HandReading(points_px, world, score, left_score=float(outputs["Identity_2"][0, 0]))


def keep_apart(
    left: HandReading | None, right: HandReading | None, body: BodyReading | None
) -> tuple[HandReading | None, HandReading | None]:
    """When both sides follow one and the same hand, leave it to the side whose wrist is nearer."""
    if left is None or right is None or body is None:
        return left, right
    span_px = max(float(np.ptp(hand.points_px, axis=0).max()) for hand in (left, right))
    if float(np.linalg.norm(left.points_px - right.points_px, axis=1).mean()) > 0.25 * span_px:
        return left, right
    left_gap = _distance(left.points_px[0], body.points_px[Point.LEFT_WRIST])
    right_gap = _distance(right.points_px[0], body.points_px[Point.RIGHT_WRIST])
    return (left, None) if left_gap <= right_gap else (None, right)


def _hand_region(palm: Detection) -> Region:
    angle = angle_upright(*palm.keypoints_px[list(_PALM_AXIS)])
    center = (float(palm.box_center_px[0]), float(palm.box_center_px[1]))
    return Region(center, palm.side_px, angle).scaled(_PALM_MARGIN, shift_crop=(0.0, _PALM_SHIFT))


def _next_region(points_px: np.ndarray) -> Region:
    sides = (points_px[_INDEX_KNUCKLE] + points_px[_RING_KNUCKLE]) / 2
    knuckles = (sides + points_px[_MIDDLE_KNUCKLE]) / 2
    region = region_around(points_px[_STEADY], angle_upright(points_px[0], knuckles))
    return region.scaled(_TRACK_MARGIN, shift_crop=(0.0, _TRACK_SHIFT))


def _distance(a_px: np.ndarray, b_px: np.ndarray | tuple[float, float]) -> float:
    return float(np.linalg.norm(np.asarray(a_px) - np.asarray(b_px)))
