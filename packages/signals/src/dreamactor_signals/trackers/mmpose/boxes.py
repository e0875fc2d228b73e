"""Around whom mmpose looks: the person's box in each frame.

Boxes are (4,) x0 y0 x1 y1 in pixels, around all of the person that the frame shows, hair and toes included.
"""

import numpy as np

from dreamactor_signals.litert.detector import overlaps
from dreamactor_signals.trackers.embedded.face import head_region
from dreamactor_signals.trackers.embedded.readings import BodyReading, FaceReading
from dreamactor_signals.trackers.mmpose.layout import FACE
from dreamactor_signals.visibility import SEEN

_MARGIN = 1.1
_BODY_VISIBLE = 0.5
# Of a face's width and height: how far head and shoulders reach from its middle to the sides, up and down.
_SHOULDERS, _ABOVE_FACE, _BELOW_FACE = 1.6, 1.0, 2.5
# Fewer keypoints than these tell no person's extent.
_ENOUGH_KEYPOINTS = 20
# Boxes of one person in neighbouring frames share at least this much.
_SAME_PERSON = 0.3


class BoxFollower:
    """The box of one person, frame after frame.

    Where the embedded networks see the person, the box is theirs. Where they lose a body that mmpose still sees, it
    runs around mmpose's own keypoints.

    Args:
        frame_size: width, height.
        given_px: (4,) where the person is in the first frame, if the user says so.
        min_score: of the keypoints, on average, for them to be believed.
    """

    def __init__(self, frame_size: tuple[int, int], given_px: np.ndarray | None, min_score: float) -> None:
        self._size = np.array(frame_size, dtype=np.float64)
        self._last_px = given_px
        self._min_score = min_score

    def next(self, body: BodyReading | None, face: FaceReading | None) -> np.ndarray | None:
        """The box in the next frame; None when nobody is seen."""
        if body is not None:
            self._last_px = box_of_body(body)
        elif self._last_px is None and face is not None:
            self._last_px = box_of_face(face)
        if self._last_px is None:
            return None
        box_px = np.clip(self._last_px.reshape(2, 2), 0, self._size)
        return box_px.reshape(4) if (box_px[1] - box_px[0] >= 1).all() else None

    def seen(self, keypoints: np.ndarray | None) -> None:
        """What mmpose saw in that box, (K, 3); None when there was no box."""
        around_px = None if keypoints is None else box_of_keypoints(keypoints, self._min_score)
        if around_px is None or self._last_px is None or overlaps(around_px, self._last_px[None])[0] < _SAME_PERSON:
            self._last_px = None
        else:
            self._last_px = around_px


def box_of_body(body: BodyReading) -> np.ndarray:
    """Around the landmarks that are seen, and the whole head."""
    visible = body.points_px[body.visibility > _BODY_VISIBLE]
    head = head_region(body)
    if head is not None:
        corners = np.array([[0.0, 0.0], [1.0, 1.0]])
        visible = np.concatenate([visible, head.to_frame(corners)])
    return _around(visible if len(visible) else body.points_px)


def box_of_face(face: FaceReading) -> np.ndarray:
    """Head and shoulders around a face."""
    low, high = face.box_px.reshape(2, 2)
    width, height = high - low
    sides = _SHOULDERS * width
    middle = (low[0] + high[0]) / 2
    return np.array([middle - sides, low[1] - _ABOVE_FACE * height, middle + sides, high[1] + _BELOW_FACE * height])


def box_of_keypoints(keypoints: np.ndarray, min_score: float) -> np.ndarray | None:
    """Around the (K, 3) keypoints that are seen; None when these are too few or too uncertain."""
    seen = keypoints[:, 2] >= SEEN
    if seen.sum() < _ENOUGH_KEYPOINTS or keypoints[seen, 2].mean() < min_score:
        return None
    points_px = keypoints[seen, :2]
    face_px = keypoints[FACE][seen[FACE], :2]
    if len(face_px):
        # The highest face points are the brows: the hair reaches as far above them again as the chin lies below.
        top = face_px.mean(axis=0) - (0, np.ptp(face_px[:, 1]))
        points_px = np.concatenate([points_px, top[None]])
    return _around(points_px)


def _around(points_px: np.ndarray) -> np.ndarray:
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2 * _MARGIN
    return np.concatenate([middle - half, middle + half])
