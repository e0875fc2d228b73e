"""The head and the face's box from the 68 face points of COCO-WholeBody: perspective-n-point with the average face.

The points have no depths, so that a face deeper or flatter than the average reads as turned less or more than it is:
heads that the embedded face network reads with depths are preferred (`clip.py`).

Legend: L = 68 face points.
"""

import cv2
import numpy as np

from dreamactor_signals.average_face import average_face
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.readings import HeadReading
from dreamactor_signals.visibility import SEEN

# Face points that expressions hardly move, and where they lie on the average face: brows' ends, nose, eyes' corners.
ON_AVERAGE_FACE = {
    17: 70,
    21: 107,
    22: 336,
    26: 300,
    27: 168,
    28: 197,
    29: 5,
    30: 4,
    31: 75,
    32: 97,
    33: 2,
    34: 326,
    35: 305,
    36: 33,
    39: 133,
    42: 362,
    45: 263,
}
_RIGID = list(ON_AVERAGE_FACE)
# Perspective-n-point asks for four; noise asks for more.
_ENOUGH_POINTS = 8
# A head without depths is worth a little less than one with.
_TRUST = 0.8
_TOP, _BROWS, _CHIN = 10, (105, 334), 152


def head_of_points(face_points: np.ndarray, camera: Camera) -> HeadReading | None:
    """Head pose from (L, 3) x, y in pixels and score; None when too few are seen, or from nowhere in front."""
    points_head_m = average_face().points_head_m[list(ON_AVERAGE_FACE.values())]
    rigid = face_points[_RIGID].astype(np.float64)
    seen = rigid[:, 2] >= SEEN
    if seen.sum() < _ENOUGH_POINTS:
        return None
    arguments = points_head_m[seen], rigid[seen, :2], camera.matrix, None
    found, turn, place = cv2.solvePnP(*arguments, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return None
    turn, place = cv2.solvePnPRefineLM(*arguments, turn, place)
    # The face's coordinates start at the skull's centre.
    rotation, center_cam_m = cv2.Rodrigues(turn)[0], place.reshape(3)
    if not np.isfinite(center_cam_m).all() or center_cam_m[2] <= 0:
        return None
    return HeadReading(rotation, center_cam_m, _TRUST * float(rigid[seen, 2].mean()))


def face_box_of_points(face_points: np.ndarray) -> tuple[np.ndarray, float]:
    """(4,) box around the whole face, forehead included, and its score; zeros when the face is not seen."""
    seen = face_points[:, 2] >= SEEN
    if seen.mean() < 0.5:
        return np.zeros(4), 0.0
    low, high = face_points[seen, :2].min(axis=0), face_points[seen, :2].max(axis=0)
    average_m = average_face().points_head_m[:, 1]
    forehead = (average_m[list(_BROWS)].mean() - average_m[_TOP]) / (average_m[_CHIN] - average_m[list(_BROWS)].mean())
    low[1] -= forehead * (high[1] - low[1])
    return np.concatenate([low, high]).astype(np.float64), float(face_points[seen, 2].mean())
