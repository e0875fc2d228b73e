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

POINTS = 33
_ALL_POINTS = 39
_LAYOUT = DetectorLayout(grids=((28, 2), (14, 2), (7, 6)), low=-1.0, boxes="Identity", scores="Identity_1")
# The detector's first two keypoints, and two of the landmarks, are the middle of the hips and a point on the circle
# around the whole body.
_DETECTED_CIRCLE = (0, 1)
_LANDMARK_CIRCLE = (33, 34)
_CIRCLE_MARGIN = 1.25
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


class BodyReader:
    """Follows one body through a clip."""

    def __init__(self, networks: BodyNetworks) -> None:
        self._networks = networks
        self._region: Region | None = None
        self._last_seen: Region | None = None

    def read(self, frame: np.ndarray) -> BodyReading | None:
        """The body in the next frame, or None."""
        if self._region is not None:
            reading = self._read_region(frame, self._region)
            if reading is not None:
                return reading
        # Who is small in the picture is found only in a part of it.
        for regions in ([Region.of_frame(frame)], Region.tiles(frame)):
            found = [person for region in regions for person in self._networks.detector.detect(frame, region)]
            if found:
                return self._read_region(frame, _detected_region(self._choose(found)))
        return None

    def _choose(self, found: list[Detection]) -> Detection:
        """Who was followed before, else who fills most of the picture among those found clearly."""
        last = self._last_seen
        if last is None:
            return max(found, key=lambda person: person.score * person.side_px)
        return min(found, key=lambda person: np.linalg.norm(person.keypoints_px[0] - last.center_px))

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
        self._region = self._last_seen = _circle_region(points_px, _LANDMARK_CIRCLE)
        world = outputs["Identity_4"].reshape(_ALL_POINTS, 3)[:POINTS]
        visibility = sigmoid(raw[:POINTS, 3]) * sigmoid(raw[:POINTS, 4])
        return BodyReading(points_px[:POINTS], region.turn(world), visibility, score)


def _detected_region(person: Detection) -> Region:
    return _circle_region(person.keypoints_px, _DETECTED_CIRCLE)


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
