"""Faces that the detector sees and the landmark network cannot read."""

from types import SimpleNamespace

import numpy as np
import pytest
from dreamactor_signals.average_face import average_face
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.litert.detector import Detection
from dreamactor_signals.litert.regions import Region
from dreamactor_signals.trackers.embedded.body import POINTS
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_face import faces_of_clip
from dreamactor_signals.trackers.embedded.face import FaceReader
from dreamactor_signals.trackers.embedded.head import canonical_body_points
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.readings import (
    BodyReading,
    FaceGlimpse,
    FaceReading,
    FrameReading,
    HandReading,
    HeadReading,
)
from dreamactor_signals.visibility import SEEN

CAMERA = Camera.assumed((640, 480), 55)
MIDDLE_PX = np.array([320.0, 240.0])
FRAME = np.zeros((480, 640, 3), np.uint8)


def _body(yaw_deg: float) -> BodyReading:
    """A body whose head is in the middle of the picture."""
    points, head_m = canonical_body_points(average_face())
    turned_m = head_m @ rotation_of_angles(*(np.radians([angle]) for angle in (yaw_deg, 0.0, 0.0)))[0].T
    body_m, px = np.zeros((POINTS, 3)), np.tile(MIDDLE_PX, (POINTS, 1))
    body_m[points], px[points] = turned_m, MIDDLE_PX + 400 * turned_m[:, :2]
    return BodyReading(px, np.zeros(POINTS), body_m, np.ones(POINTS), 1.0)


def _reader(*, landmarks_logit: float, side_px: float = 60.0) -> FaceReader:
    """The detector sees one face in the middle; the landmark network says how much it believes in it."""
    eyes = np.array([[-15.0, 0], [15, 0], [0, 5], [0, 15], [-25, 0], [25, 0]]) + MIDDLE_PX
    found = Detection(0.8, np.array([0.3, 0.3, 0.7, 0.7]), eyes, MIDDLE_PX, side_px)

    class Detector:
        def detect(self, frame: np.ndarray, region: Region) -> list[Detection]:
            return [found]

    class Landmarks:
        input_size = 256

        def __call__(self, values: np.ndarray) -> dict[str, np.ndarray]:
            points = np.random.default_rng(1).uniform(64, 192, (478, 3))
            return {"Identity": points, "Identity_1": np.array([[landmarks_logit]])}

    networks = SimpleNamespace(
        detector=Detector(),
        landmarks=Landmarks(),
        expression=lambda points: {"StatefulPartitionedCall:0": np.zeros(52)},
        min_score=0.5,
    )
    return FaceReader(networks, CAMERA)  # type: ignore[arg-type]


@pytest.mark.parametrize(("yaw_deg", "there"), [(0, True), (45, True), (100, False), (180, False)])
def test_a_face_that_cannot_be_read_is_glimpsed_where_the_body_faces_us(yaw_deg: float, there: bool) -> None:
    reader = _reader(landmarks_logit=-5.0)
    assert reader.read(FRAME, _body(yaw_deg)) is None
    assert (reader.glimpse is not None) == there
    if reader.glimpse is not None:
        assert reader.glimpse.score == 0.8
        np.testing.assert_allclose(reader.glimpse.box_px, [293, 210, 347, 270])


def test_a_face_without_a_body_or_one_that_is_read_is_no_glimpse() -> None:
    unread = _reader(landmarks_logit=-5.0)
    assert unread.read(FRAME, None) is None
    assert unread.glimpse is None
    read = _reader(landmarks_logit=5.0)
    assert read.read(FRAME, _body(0)) is not None
    assert read.glimpse is None


def _clip() -> list[FrameReading]:
    """Read for 3 frames, glimpsed for 8, a hand before it in the last, unseen for 8."""
    head = HeadReading(np.eye(3), np.array([0, 0, 1.0]), 1.0)
    read = FrameReading(face=FaceReading(np.array([100.0, 100, 200, 200]), np.full(52, 0.4), head, 0.9))
    glimpse = FaceGlimpse(np.array([150.0, 100, 240, 200]), 0.8)
    outline = np.array([[150.0, 100], [240, 100], [240, 200], [150, 200]])[np.arange(21) % 4]
    hand = HandReading(outline, np.zeros((21, 3)), 0.9, 0.1)
    glimpsed = [FrameReading(glimpse=glimpse)] * 7 + [FrameReading(glimpse=glimpse, left_hand=hand)]
    return [read] * 3 + glimpsed + [FrameReading()] * 8


def test_a_glimpse_has_a_box_to_cut_and_nothing_to_measure() -> None:
    faces = faces_of_clip(_clip(), Pace(1, 1, 1, 1, 3))
    np.testing.assert_allclose(faces.boxes_px[3:11], np.tile([150.0, 100, 240, 200], (8, 1)))
    assert faces.confidence[:3].min() == pytest.approx(0.9)
    assert faces.confidence[3:11].min() > 0
    assert faces.confidence[3:11].max() < SEEN
    assert faces.units[3:11].max() == 0
    np.testing.assert_allclose(faces.units[:3], 0.4)
    assert faces.confidence[11:].max() == 0
    assert faces.occlusion[10] > 0.9
    assert faces.occlusion[:10].max() == 0


def test_a_short_gap_between_two_readings_is_bridged_as_before_and_its_box_is_the_glimpsed_one() -> None:
    clip = _clip()
    faces = faces_of_clip([clip[0], clip[3], clip[0]], Pace(1, 1, 1, 1, 3))
    assert faces.confidence[1] == pytest.approx(0.45)
    np.testing.assert_allclose(faces.units[1], 0.4, atol=1e-6)
    np.testing.assert_allclose(faces.boxes_px[1], [150, 100, 240, 200])
