"""Hand landmarks: each hand is looked for at the body's wrist, then followed from frame to frame.

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
_SHOULDER_VISIBLE = 0.5
# A hand whose wrist is further from the body's wrist than this share of the hand's region belongs to someone else.
_SAME_WRIST = 0.3
# Two hands closer than this share of their length are one hand, read twice.
_ONE_HAND = 0.25
# Frames between two searches of the whole frame.
_STRAY_EVERY = 5


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


class HandsReader:
    """Follows both hands of one person through a clip.

    A hand is looked for where the body's arm ends; in a close-up, which shows no shoulders to tell where that is, now
    and then all over the frame.
    """

    def __init__(self, networks: HandNetworks) -> None:
        self._networks = networks
        self._regions: dict[Side, Region | None] = {"left": None, "right": None}
        self._frames = 0

    def read(self, frame: np.ndarray, body: BodyReading | None) -> dict[Side, HandReading | None]:
        """The hands in the next frame."""
        wrists = {side: _wrist(body, side) for side in _ARMS}
        hands = {side: self._follow(frame, side, wrists[side]) for side in _ARMS}
        for side, wrist_px in wrists.items():
            if hands[side] is None and body is not None and wrist_px is not None:
                hands[side] = self._search_arm(frame, body, side, wrist_px)
        if self._frames % _STRAY_EVERY == 0 and not _shows_shoulders(body):
            self._search_strays(frame, hands, wrists)
        self._frames += 1
        keep_apart(hands, wrists)
        self._regions = {side: None if hand is None else _next_region(hand.points_px) for side, hand in hands.items()}
        return hands

    def _follow(self, frame: np.ndarray, side: Side, wrist_px: np.ndarray | None) -> HandReading | None:
        region = self._regions[side]
        return None if region is None else self._read_region(frame, region, wrist_px)

    def _search_arm(self, frame: np.ndarray, body: BodyReading, side: Side, wrist_px: np.ndarray) -> HandReading | None:
        """The palm nearest to where the arm ends; where none is found, the landmarks may still see a hand there."""
        search = _arm_region(body, side)
        palms = self._networks.palms.detect(frame, search)
        if not palms:
            return self._read_region(frame, search.scaled(0.5), wrist_px)
        nearest = min(palms, key=lambda palm: _distance(palm.box_center_px, search.center_px))
        return self._read_region(frame, _hand_region(nearest), wrist_px)

    def _search_strays(
        self, frame: np.ndarray, hands: dict[Side, HandReading | None], wrists: dict[Side, np.ndarray | None]
    ) -> None:
        """Fill in hands whose wrist the body does not show, by what they look like."""
        wanted = {side for side in _ARMS if hands[side] is None and wrists[side] is None}
        if not wanted:
            return
        for palm in self._networks.palms.detect(frame, Region.of_frame(frame)):
            hand = self._read_region(frame, _hand_region(palm), None)
            if hand is None:
                continue
            side: Side = "right" if hand.right_score >= 0.5 else "left"
            if side in wanted and hands[side] is None:
                hands[side] = hand

    def _read_region(self, frame: np.ndarray, region: Region, wrist_px: np.ndarray | None) -> HandReading | None:
        """Landmarks in the region, unless it shows no hand or one that hangs on another wrist."""
        size = self._networks.landmarks.input_size
        outputs = self._networks.landmarks(region.crop(frame, size).astype(np.float32) / 255)
        score = float(outputs["Identity_1"][0, 0])
        points_px = region.to_frame(outputs["Identity"].reshape(POINTS, 3)[:, :2].astype(np.float64) / size)
        astray = wrist_px is not None and _distance(points_px[0], wrist_px) > _SAME_WRIST * region.side_px
        if score < self._networks.min_score or astray:
            return None
        world = region.turn(outputs["Identity_3"].reshape(POINTS, 3))
        return HandReading(points_px, world, score, right_score=float(outputs["Identity_2"][0, 0]))


def _shows_shoulders(body: BodyReading | None) -> bool:
    """Whether the body is read well enough to believe it when it shows no wrist: folds of cloth look like hands."""
    shoulders = [Point.LEFT_SHOULDER, Point.RIGHT_SHOULDER]
    return body is not None and bool(body.visibility[shoulders].max() > _SHOULDER_VISIBLE)


def _wrist(body: BodyReading | None, side: Side) -> np.ndarray | None:
    """The body's wrist, where it is seen."""
    wrist = _ARMS[side].wrist
    return None if body is None or body.visibility[wrist] < _WRIST_VISIBLE else body.points_px[wrist]


def _arm_region(body: BodyReading, side: Side) -> Region:
    """Where the body's arm ends, fingers up."""
    arm = _ARMS[side]
    wrist, index, pinky = (body.points_px[point] for point in (arm.wrist, arm.index, arm.pinky))
    middle = (2 * index + pinky) / 3
    reach_px = max(_distance(middle, wrist), 1.0)
    center = (float(middle[0]), float(middle[1]))
    return Region(center, reach_px * _SEARCH_PER_REACH, angle_upright(wrist, middle))


def keep_apart(hands: dict[Side, HandReading | None], wrists: dict[Side, np.ndarray | None]) -> None:
    """When both sides follow one and the same hand, leave it to the side it hangs on, or looks like."""
    left, right = hands["left"], hands["right"]
    if left is None or right is None:
        return
    span_px = max(float(np.ptp(hand.points_px, axis=0).max()) for hand in (left, right))
    if float(np.linalg.norm(left.points_px - right.points_px, axis=1).mean()) > _ONE_HAND * span_px:
        return
    left_wrist, right_wrist = wrists["left"], wrists["right"]
    if left_wrist is not None and right_wrist is not None:
        is_left = _distance(left.points_px[0], left_wrist) <= _distance(right.points_px[0], right_wrist)
    else:
        is_left = (left.right_score + right.right_score) / 2 < 0.5
    hands["right" if is_left else "left"] = None


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
