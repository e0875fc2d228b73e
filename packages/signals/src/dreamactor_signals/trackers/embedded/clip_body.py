"""A clip's body and hands: readings of single frames -> smooth metric joints.

Legend: T video frames, J joints, P = 33 body points, H = 21 hand points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dreamactor_core.skeleton import JOINT_COUNT, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS, joint_index

from dreamactor_signals.smoothing import fill_gaps, smooth
from dreamactor_signals.trackers.embedded.body import POINTS, Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.hands import POINTS as HAND_POINTS
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.placement import place_body, place_hand, root_position
from dreamactor_signals.trackers.embedded.readings import BodyReading, FrameReading, HandReading

# Joints that are points of the body network; the midpoints and fingers come from elsewhere.
JOINT_OF_POINT = {
    point: joint_index(point.name.lower())
    for point in Point
    if point.name.lower().partition("_")[2] in {"shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "toe"}
}
_MIDPOINTS = {"pelvis": ("left_hip", "right_hip"), "neck": ("left_shoulder", "right_shoulder")}
# Confidence falls to nothing over this share of the frame beyond its edge.
_EDGE_FADE = 0.05


@dataclass(frozen=True)
class PlacedBody:
    """The body of a clip in camera space; frames without a body have confidence 0.

    Attributes:
        points_cam_m: (T, P, 3).
        visibility: (T, P).
    """

    points_cam_m: np.ndarray
    visibility: np.ndarray

    def ears_depth_m(self) -> np.ndarray:
        """(T,) depth of the middle of the head, 0 without a body."""
        return self.points_cam_m[:, [Point.LEFT_EAR, Point.RIGHT_EAR], 2].mean(axis=1)


def place_bodies(readings: Sequence[FrameReading], camera: Camera, pace: Pace) -> PlacedBody:
    """Smooth the clip's bodies and stand them in camera space."""
    bodies = [reading.body for reading in readings]
    score = np.array([body.score if body else 0.0 for body in bodies])
    root = np.array([_root(body, camera) for body in bodies])
    points_px, trust = fill_gaps(_stack(bodies, "points_px", (POINTS, 2)), score, pace.max_gap)
    points_body_m, _ = fill_gaps(_stack(bodies, "points_body_m", (POINTS, 3)), score, pace.max_gap)
    visibility, _ = fill_gaps(_stack(bodies, "visibility", (POINTS,)), score, pace.max_gap)
    root, _ = fill_gaps(root, score, pace.max_gap)
    here = trust > 0
    weights = visibility * trust[:, None]
    points_px = smooth(points_px, weights, pace.image)
    points_body_m = smooth(points_body_m, np.maximum(weights, 1e-3) * here[:, None], pace.depth)
    points_cam_m = np.zeros((len(readings), POINTS, 3))
    points_cam_m[here] = place_body(
        points_px[here], points_body_m[here], visibility[here], _steady_root(root, trust, pace)[here], camera
    )
    return PlacedBody(points_cam_m, smooth(weights, here.astype(float), pace.image))


def joints_of_clip(
    readings: Sequence[FrameReading], body: PlacedBody, camera: Camera, pace: Pace, frame_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (T, J, 3) in camera space and their confidences (T, J)."""
    joints = np.zeros((len(readings), JOINT_COUNT, 3))
    confidence = np.zeros((len(readings), JOINT_COUNT))
    for point, joint in JOINT_OF_POINT.items():
        joints[:, joint], confidence[:, joint] = body.points_cam_m[:, point], body.visibility[:, point]
    for wrist, fingers, hands in (
        ("left_wrist", LEFT_HAND_JOINTS, [reading.left_hand for reading in readings]),
        ("right_wrist", RIGHT_HAND_JOINTS, [reading.right_hand for reading in readings]),
    ):
        _attach_hand(joints, confidence, joint_index(wrist), fingers, hands, camera, pace)
    for middle, ends in _MIDPOINTS.items():
        a, b = (joint_index(end) for end in ends)
        joints[:, joint_index(middle)] = (joints[:, a] + joints[:, b]) / 2
        confidence[:, joint_index(middle)] = np.minimum(confidence[:, a], confidence[:, b])
    seen = confidence > 0
    confidence[seen] *= _inside(camera.project(joints[seen]), frame_size)
    joints[confidence == 0] = 0
    return joints, np.clip(confidence, 0, 1)


def _root(body: BodyReading | None, camera: Camera) -> np.ndarray:
    if body is None:
        return np.zeros(3)
    return root_position(body.points_px, body.points_body_m, np.maximum(body.visibility, 1e-3), camera)


def _steady_root(root: np.ndarray, trust: np.ndarray, pace: Pace) -> np.ndarray:
    """Steady the distance alone and keep each frame's direction: the picture tells the one well and the other badly."""
    depth_m = np.maximum(root[:, 2], 1e-6)
    steady_m = np.exp(smooth(np.log(depth_m), trust, pace.root))
    return root * (steady_m / depth_m)[:, None]


def _attach_hand(
    joints: np.ndarray,
    confidence: np.ndarray,
    wrist: int,
    fingers: slice,
    hands: Sequence[HandReading | None],
    camera: Camera,
    pace: Pace,
) -> None:
    """Fill in one hand's joints at the wrist's depth, and move the wrist onto the hand's own."""
    score = np.array([hand.score if hand else 0.0 for hand in hands])
    if not score.any():
        return
    points_px, trust = fill_gaps(_stack(hands, "points_px", (HAND_POINTS, 2)), score, pace.max_gap)
    points_hand_m, _ = fill_gaps(_stack(hands, "points_hand_m", (HAND_POINTS, 3)), score, pace.max_gap)
    here = trust > 0
    points_px = smooth(points_px, trust, pace.image)
    points_hand_m = smooth(points_hand_m, trust, pace.image)
    own_depth_m = _own_depth(points_px, points_hand_m, trust, camera, pace)
    # A wrist that the body shows keeps the body's depth; the more it is hidden, the more the hand's own size decides.
    known = confidence[:, wrist] * (joints[:, wrist, 2] > 0)
    wrist_depth_m = known * joints[:, wrist, 2] + (1 - known) * own_depth_m
    placed = place_hand(points_px[here], points_hand_m[here], wrist_depth_m[here], camera)
    joints[here, fingers], confidence[here, fingers] = placed[:, 1:], trust[here, None]
    # The hand network sees the wrist better; its weight fades in and out so that the wrist never jumps.
    share = smooth(trust, np.ones(len(trust)), pace.image)[here, None]
    share = np.maximum(share, 1 - known[here, None])
    joints[here, wrist] = share * placed[:, 0] + (1 - share) * joints[here, wrist]
    confidence[here, wrist] = np.maximum(confidence[here, wrist], trust[here])


def _own_depth(
    points_px: np.ndarray, points_hand_m: np.ndarray, trust: np.ndarray, camera: Camera, pace: Pace
) -> np.ndarray:
    """(T,) distance of the wrist that follows from the hand's size in the picture; 1 where there is no hand."""
    depth_m = np.ones(len(trust))
    for t in np.flatnonzero(trust):
        root = root_position(points_px[t], points_hand_m[t], np.ones(HAND_POINTS), camera)
        depth_m[t] = root[2] + points_hand_m[t, 0, 2]
    return np.exp(smooth(np.log(np.maximum(depth_m, 0.1)), trust, pace.root))


def _stack(readings: Sequence[BodyReading | HandReading | None], name: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.array([np.zeros(shape) if reading is None else getattr(reading, name) for reading in readings])


def _inside(points_px: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    """(...,) 1 inside the frame, falling to 0 beyond its edge."""
    size = np.array(frame_size)
    beyond = np.maximum(np.maximum(-points_px, points_px - size) / size.max(), 0).max(axis=-1)
    return np.clip(1 - beyond / _EDGE_FADE, 0, 1)
