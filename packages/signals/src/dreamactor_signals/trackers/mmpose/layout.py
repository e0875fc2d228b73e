"""The 133 keypoints of COCO-WholeBody, and the joints that they tell.

Legend: T video frames, K = 133 keypoints, J joints (`dreamactor_core.skeleton`), H = 21 hand
points, L = 68 face points.
"""

import numpy as np
from dreamactor_core.skeleton import JOINT_COUNT, joint_index

from dreamactor_signals.visibility import SEEN

KEYPOINTS = 133
FACE = slice(23, 91)
LEFT_HAND = slice(91, 112)
RIGHT_HAND = slice(112, 133)

_FIRST_HAND_POINT = {"left": LEFT_HAND.start, "right": RIGHT_HAND.start}
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# The toes of the joint table are the front of the foot, between big and small toe.
_KEYPOINTS_OF_JOINT: dict[str, tuple[int, ...]] = {
    "pelvis": (11, 12),
    "neck": (5, 6),
    "left_shoulder": (5,),
    "left_elbow": (7,),
    "left_wrist": (9,),
    "right_shoulder": (6,),
    "right_elbow": (8,),
    "right_wrist": (10,),
    "left_hip": (11,),
    "left_knee": (13,),
    "left_ankle": (15,),
    "left_heel": (19,),
    "left_toe": (17, 18),
    "right_hip": (12,),
    "right_knee": (14,),
    "right_ankle": (16,),
    "right_heel": (22,),
    "right_toe": (20, 21),
} | {
    f"{side}_{finger}_{knuckle}": (first + 4 * number + knuckle,)
    for side, first in _FIRST_HAND_POINT.items()
    for number, finger in enumerate(_FINGERS)
    for knuckle in range(1, 5)
}


def joints_seen(keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints as seen in the picture.

    Args:
        keypoints: (T, K, 3) x, y in pixels and score in [0, 1].

    Returns:
        (T, J, 2) pixels and (T, J) confidences. A joint between two keypoints is as sure as the less certain one; a
        score that would not be drawn counts as not seen.
    """
    points_px = np.zeros((len(keypoints), JOINT_COUNT, 2), dtype=np.float32)
    confidence = np.zeros((len(keypoints), JOINT_COUNT), dtype=np.float32)
    for name, sources in _KEYPOINTS_OF_JOINT.items():
        joint, found = joint_index(name), keypoints[:, list(sources)]
        points_px[:, joint] = found[..., :2].mean(axis=1)
        confidence[:, joint] = found[..., 2].min(axis=1)
    _average_wrists(keypoints, points_px, confidence)
    confidence[confidence < SEEN] = 0
    points_px[confidence == 0] = 0
    return points_px, confidence


def _average_wrists(keypoints: np.ndarray, points_px: np.ndarray, confidence: np.ndarray) -> None:
    """A wrist is seen twice, as the arm's end and as the hand's root: both count as they are sure."""
    for side, root in _FIRST_HAND_POINT.items():
        wrist = joint_index(f"{side}_wrist")
        own, hand = confidence[:, wrist, None], keypoints[:, root, 2:]
        total = np.maximum(own + hand, 1e-6)
        points_px[:, wrist] = (own * points_px[:, wrist] + hand * keypoints[:, root, :2]) / total
        confidence[:, wrist] = np.maximum(own, hand)[:, 0]
