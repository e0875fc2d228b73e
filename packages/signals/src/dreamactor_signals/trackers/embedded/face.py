"""Face landmarks, expression and head pose: found near the body's head, then followed from frame to frame.

Legend: L = 478 landmarks.
"""

import numpy as np

from dreamactor_signals.faces.landmarks import read_landmarks, with_margin
from dreamactor_signals.litert.detector import Detection, Detector, DetectorLayout
from dreamactor_signals.litert.network import Network
from dreamactor_signals.litert.regions import Region, angle_level
from dreamactor_signals.litert.wheels import face_member
from dreamactor_signals.trackers.embedded.body import Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.head import HeadOfFace, head_of_body, head_of_face
from dreamactor_signals.trackers.embedded.readings import BodyReading, FaceGlimpse, FaceReading

_LAYOUT = DetectorLayout(grids=((16, 2), (8, 6)), low=-1.0, boxes="regressors", scores="classificators")
_EYES_DETECTED = (0, 1)
# A head is about this many times as long as its ears are apart, and as its eyes are above its mouth.
_HEAD_PER_EARS, _HEAD_PER_FACE = 2.5, 6.0
_HEAD_VISIBLE = 0.5
# Edges of the landmarks' box, of the detector's.
_LANDMARKS_PER_BOX = np.array([0.9, 1.0])
# Cosine between the nose and the way to the camera up to which a face that cannot be read is believed.
_LEAST_FACING = 0.5

# Landmarks that the expression network reads.
# fmt: off
_EXPRESSION_LANDMARKS = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78,
    80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150,
    152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197,
    234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308,
    310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377,
    378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466,
    468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
])
# fmt: on


class FaceNetworks:
    """The face detector, the landmark network and the expression network.

    Args:
        threads: of each network.
        min_score: below it no face is found, or the one followed is lost.

    Raises:
        WeightsError: the networks are not installed.
    """

    def __init__(self, *, threads: int, min_score: float) -> None:
        detector = Network(face_member("face_detector.tflite"), threads=threads)
        self.detector = Detector(detector, _LAYOUT, min_score=min_score)
        self.landmarks = Network(face_member("face_landmarks_detector.tflite"), threads=threads)
        self.expression = Network(face_member("face_blendshapes.tflite"), threads=threads)
        self.min_score = min_score


class FaceReader:
    """Follows one face through a clip.

    Args:
        networks: of faces.
        camera: for the head's pose.
        read_head: makes the head's pose of landmarks.
    """

    def __init__(self, networks: FaceNetworks, camera: Camera, read_head: HeadOfFace = head_of_face) -> None:
        self._networks = networks
        self._camera = camera
        self._read_head = read_head
        self._region: Region | None = None
        self._last_seen: Region | None = None
        self.glimpse: FaceGlimpse | None = None
        """The body's face in the frame that was read last, if it was seen and could not be read."""

    def read(self, frame: np.ndarray, body: BodyReading | None) -> FaceReading | None:
        """The face in the next frame, or None. With a body it is that body's face."""
        self.glimpse = None
        head = None if body is None else head_region(body)
        if self._region is not None and (head is None or _near(self._region, head)):
            reading = self._read_region(frame, self._region)
            if reading is not None:
                return reading
        self._region = None
        found = self._find(frame, head)
        if found is None:
            return None
        reading = self._read_region(frame, _detected_region(found))
        if reading is None and body is not None and head is not None and self._faces_us(body):
            self.glimpse = FaceGlimpse(_face_box(found), found.score)
        return reading

    def _faces_us(self, body: BodyReading) -> bool:
        """Whether the body's own face points look our way: the detector takes some backs of heads for faces."""
        head = head_of_body(body, self._camera)
        if head is None:
            return False
        away = head.center_cam_m / np.linalg.norm(head.center_cam_m)
        return bool(head.rotation[:, 2] @ away > _LEAST_FACING)

    def _find(self, frame: np.ndarray, head: Region | None) -> Detection | None:
        found = self._networks.detector.detect(frame, head or Region.of_frame(frame))
        if head is not None:
            found = [face for face in found if _near(_detected_region(face), head)]
        # A face that was lost for a moment is still the one to follow, however large the one beside it is.
        if self._last_seen is not None:
            found = [face for face in found if _near(_detected_region(face), self._last_seen)] or found
        if not found:
            return None
        return max(found, key=lambda face: face.score * face.side_px)

    def _read_region(self, frame: np.ndarray, region: Region) -> FaceReading | None:
        """Landmarks in the region; what it shows decides the next frame's region."""
        seen = read_landmarks(self._networks.landmarks, frame, region)
        if seen.score < self._networks.min_score:
            self._region = None
            return None
        self._region = self._last_seen = seen.region()
        points_px = seen.points_px
        units = self._networks.expression(points_px[_EXPRESSION_LANDMARKS])["StatefulPartitionedCall:0"]
        return FaceReading(
            box_px=np.concatenate([points_px.min(axis=0), points_px.max(axis=0)]),
            units=np.clip(units, 0, 1),
            head=self._read_head(points_px, seen.depth_px, self._camera, confidence=seen.score),
            score=seen.score,
        )


def head_region(body: BodyReading) -> Region | None:
    """Where a body's head is, with room around it; None when the body's face points are not seen."""
    face = slice(Point.NOSE, Point.MOUTH_RIGHT + 1)
    if body.visibility[face].mean() < _HEAD_VISIBLE:
        return None
    points = body.points_px
    ears_px = np.linalg.norm(points[Point.LEFT_EAR] - points[Point.RIGHT_EAR])
    eyes = (points[Point.LEFT_EYE] + points[Point.RIGHT_EYE]) / 2
    mouth = (points[Point.MOUTH_LEFT] + points[Point.MOUTH_RIGHT]) / 2
    side_px = max(_HEAD_PER_EARS * ears_px, _HEAD_PER_FACE * np.linalg.norm(eyes - mouth))
    center = points[face].mean(axis=0)
    return Region((float(center[0]), float(center[1])), max(float(side_px), 1.0))


def _near(face: Region, head: Region) -> bool:
    """Whether the middle of a face lies within the middle half of a head's region."""
    return bool((np.abs(head.to_crop(np.asarray(face.center_px)) - 0.5) < 0.25).all())


def _face_box(face: Detection) -> np.ndarray:
    """(4,) about where the landmarks' box would be."""
    half = face.side_px * _LANDMARKS_PER_BOX / 2
    return np.concatenate([face.box_center_px - half, face.box_center_px + half])


def _detected_region(face: Detection) -> Region:
    right_eye, left_eye = face.keypoints_px[list(_EYES_DETECTED)]
    center = face.box_center_px
    level = angle_level(right_eye, left_eye)
    return with_margin(Region((float(center[0]), float(center[1])), face.side_px, level))
