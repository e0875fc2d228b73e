"""Body landmarks: found once, then followed from frame to frame.

Legend: P = 33 body points, followed by 6 that only steer the next frame's region.
"""

from enum import IntEnum

import numpy as np

from dreamactor_signals.litert.detector import Detection, Detector, DetectorLayout, sigmoid
from dreamactor_signals.litert.network import Network
from dreamactor_signals.litert.regions import Region, angle_upright
from dreamactor_signals.litert.wheels import body_network
from dreamactor_signals.trackers.embedded.readings import BodyReading
from dreamactor_signals.trackers.people import People

POINTS = 33
_ALL_POINTS = 39
_LAYOUT = DetectorLayout(grids=((28, 2), (14, 2), (7, 6)), low=-1.0, boxes="Identity", scores="Identity_1")
# The detector's first two keypoints, and two of the landmarks, are the middle of the hips and a point on the circle
# around the whole body.
_DETECTED_CIRCLE = (0, 1)
_LANDMARK_CIRCLE = (33, 34)
_CIRCLE_MARGIN = 1.25
# A body fills about this share of its circle's diameter, both ways, so that neighbours' squares hardly touch.
_CORE = 0.6
# Squares that share more than this of the smaller one are of one body.
_SAME_BODY = 0.5
_HEATMAP_REACH = 3
_HEATMAP_TRUST = 0.5


class Point(IntEnum):
    """The body points by name; left and right are the person's."""

    NOSE = 0
    LEFT_EYE_INNER = 1
    LEFT_EYE = 2
    LEFT_EYE_OUTER = 3
    RIGHT_EYE_INNER = 4
    RIGHT_EYE = 5
    RIGHT_EYE_OUTER = 6
    LEFT_EAR = 7
    RIGHT_EAR = 8
    MOUTH_LEFT = 9
    MOUTH_RIGHT = 10
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_PINKY = 17
    RIGHT_PINKY = 18
    LEFT_INDEX = 19
    RIGHT_INDEX = 20
    LEFT_THUMB = 21
    RIGHT_THUMB = 22
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_TOE = 31
    RIGHT_TOE = 32


class BodyNetworks:
    """The person detector and the body landmark network.

    Args:
        threads: of each network.
        min_score: below it nobody is found, or the one followed is lost.

    Raises:
        WeightsError: the networks are not installed.
    """

    def __init__(self, *, threads: int, min_score: float) -> None:
        detector = Network(body_network("pose_detection/pose_detection.tflite"), threads=threads)
        self.detector = Detector(detector, _LAYOUT, min_score=min_score)
        self.landmarks = Network(body_network("pose_landmark/pose_landmark_full.tflite"), threads=threads)
        self.min_score = min_score


def find_bodies(detector: Detector, frame: np.ndarray, *, everywhere: bool) -> list[Detection]:
    """Everybody in a (H, W, 3) uint8 RGB frame, each once.

    Args:
        everywhere: look into parts of the picture even if the whole of it shows somebody.
    """
    found = detector.detect(frame, Region.of_frame(frame))
    # Who is small in the picture is found only in a part of it.
    if everywhere or not found:
        tiles = Region.tiles(frame)
        near = [person for tile in tiles for person in detector.detect(frame, tile)]
        # Between several small people the whole picture shows one who is not there.
        found = near + [person for person in found if not near or _fills(person, tiles[0])]
    return _one_each(found)


class BodyReader:
    """Follows one body through a clip.

    Where others are about, or somebody in particular was asked for, everybody is looked for in every frame: the
    landmarks alone slide from one person to another when these meet.

    Args:
        networks: of bodies.
        people: who is who in this clip.
    """

    def __init__(self, networks: BodyNetworks, people: People | None = None) -> None:
        self._networks = networks
        self._people = people or People()
        self._region: Region | None = None

    def read(self, frame: np.ndarray) -> BodyReading | None:
        """The followed body in the next frame, or None."""
        region = self._region
        watchful = self._people.chosen or self._people.crowded
        found = self._detect(frame, everywhere=watchful) if region is None or watchful else None
        reading = None
        if region is not None and (found is None or _same_place(region, found)):
            reading = self._read_region(frame, region)
        if reading is None and region is not None and found is None:
            found = self._detect(frame, everywhere=watchful)
        if reading is None and found is not None:
            reading = self._read_region(frame, found)
        return reading

    def _detect(self, frame: np.ndarray, *, everywhere: bool) -> Region | None:
        """Where the detector sees the one who is followed."""
        found = find_bodies(self._networks.detector, frame, everywhere=everywhere)
        boxes_px = np.array([_core_box(_detected_region(person)) for person in found]).reshape(-1, 4)
        which = self._people.update(boxes_px, np.array([person.score for person in found]))
        return None if which is None else _detected_region(found[which])

    def _read_region(self, frame: np.ndarray, region: Region) -> BodyReading | None:
        """Landmarks in the region; what it shows decides the next frame's region."""
        size = self._networks.landmarks.input_size
        outputs = self._networks.landmarks(region.crop(frame, size).astype(np.float32) / 255)
        score = float(outputs["Identity_1"][0, 0])
        if score < self._networks.min_score:
            self._region = None
            return None
        raw = outputs["Identity"].reshape(_ALL_POINTS, 5).astype(np.float64)
        points_crop = refine_by_heatmap(raw[:, :2] / size, outputs["Identity_3"][0])
        points_px = region.to_frame(points_crop)
        followed = _circle_region(points_px, _LANDMARK_CIRCLE)
        if self._people.is_someone_else(_core_box(followed)):
            self._region = None
            return None
        self._region = followed
        self._people.moved(_core_box(followed))
        world = outputs["Identity_4"].reshape(_ALL_POINTS, 3)[:POINTS]
        visibility = sigmoid(raw[:POINTS, 3]) * sigmoid(raw[:POINTS, 4])
        depth_px = raw[:POINTS, 2] * region.side_px / size
        return BodyReading(points_px[:POINTS], depth_px, region.turn(world), visibility, score)


def _detected_region(person: Detection) -> Region:
    return _circle_region(person.keypoints_px, _DETECTED_CIRCLE)


def _one_each(found: list[Detection]) -> list[Detection]:
    """The best of those detections that lie mostly on one another, as the same person is found in several tiles."""
    kept: list[Detection] = []
    for person in sorted(found, key=lambda person: -person.score):
        box_px = _core_box(_detected_region(person))
        if not any(_share_of_smaller(box_px, _core_box(_detected_region(other))) > _SAME_BODY for other in kept):
            kept.append(person)
    return kept


def _share_of_smaller(a_px: np.ndarray, b_px: np.ndarray) -> float:
    sides = (np.minimum(a_px[2:], b_px[2:]) - np.maximum(a_px[:2], b_px[:2])).clip(0)
    return float(sides.prod() / max(min((box[2:] - box[:2]).prod() for box in (a_px, b_px)), 1e-9))


def _fills(person: Detection, tile: Region) -> bool:
    """Whether somebody is too large for a tile."""
    return _detected_region(person).side_px / _CIRCLE_MARGIN > tile.side_px


def _same_place(followed: Region, found: Region) -> bool:
    return _share_of_smaller(_core_box(followed), _core_box(found)) > _SAME_BODY


def _core_box(region: Region) -> np.ndarray:
    """(4,) the middle of a body's region, which neighbours do not share."""
    half_px = region.side_px / _CIRCLE_MARGIN * _CORE / 2
    x, y = region.center_px
    return np.array([x - half_px, y - half_px, x + half_px, y + half_px])


def _circle_region(points_px: np.ndarray, circle: tuple[int, int]) -> Region:
    """The region around a body's circle, the body upright in it."""
    center, rim = points_px[circle[0]], points_px[circle[1]]
    side_px = 2 * float(np.linalg.norm(rim - center))
    upright = angle_upright(center, rim)
    return Region((float(center[0]), float(center[1])), max(side_px, 1.0), upright).scaled(_CIRCLE_MARGIN)


def refine_by_heatmap(points_crop: np.ndarray, heatmap_HWP: np.ndarray) -> np.ndarray:
    """Move each point to the weighted middle of its heatmap's peak nearby, where the peak is clear.

    Args:
        points_crop: (P, 2) in [0, 1].
        heatmap_HWP: (H, W, P) logits.

    Returns:
        (P, 2) points.
    """
    size = np.array(heatmap_HWP.shape[1::-1])
    refined = points_crop.copy()
    for p, (column, row) in enumerate(np.floor(points_crop * size).astype(int)):
        if not (0 <= column < size[0] and 0 <= row < size[1]):
            continue
        left, top = max(column - _HEATMAP_REACH, 0), max(row - _HEATMAP_REACH, 0)
        window = sigmoid(
            heatmap_HWP[top : row + _HEATMAP_REACH + 1, left : column + _HEATMAP_REACH + 1, p].astype(np.float64)
        )
        if window.max() < _HEATMAP_TRUST:
            continue
        total = window.sum()
        x = (window.sum(axis=0) * (left + np.arange(window.shape[1]))).sum() / total
        y = (window.sum(axis=1) * (top + np.arange(window.shape[0]))).sum() / total
        refined[p] = (x, y) / size
    return refined
