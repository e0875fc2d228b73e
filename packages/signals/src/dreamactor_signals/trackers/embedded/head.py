"""The head's pose, from the face's landmarks, or roughly from the body's face points.

The landmarks carry depths, and the pose is the rigid motion that carries the average face onto all three coordinates,
corrected by what is known of the network (`head_calibration`). Perspective-n-point on the two image coordinates alone
reads only 0.7 of the true nod: it must explain a person's own depth of face, which differs from the average, by turning
less. With depths, shape and turn are no longer confused.

Legend: L landmarks.
"""

from typing import Protocol

import numpy as np

from dreamactor_signals.average_face import AverageFace, average_face
from dreamactor_signals.rotations import align, shortest_rotation
from dreamactor_signals.trackers.embedded.body import Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.head_calibration import head_calibration
from dreamactor_signals.trackers.embedded.readings import BodyReading, HeadReading

# The body's face points and where they lie on the canonical face.
_BODY_TO_FACE = {
    Point.NOSE: (1,),
    Point.LEFT_EYE_INNER: (362,),
    Point.LEFT_EYE: (386, 374),
    Point.LEFT_EYE_OUTER: (263,),
    Point.RIGHT_EYE_INNER: (133,),
    Point.RIGHT_EYE: (159, 145),
    Point.RIGHT_EYE_OUTER: (33,),
    Point.LEFT_EAR: (454,),
    Point.RIGHT_EAR: (234,),
    Point.MOUTH_LEFT: (291,),
    Point.MOUTH_RIGHT: (61,),
}
# A head read from eleven coarse points is worth less than one read from a face.
_BODY_HEAD_TRUST = 0.45


class HeadOfFace(Protocol):
    """Anything that makes a head of face landmarks, as `head_of_face` does."""

    def __call__(
        self, points_px: np.ndarray, depth_px: np.ndarray, camera: Camera, /, *, confidence: float
    ) -> HeadReading:
        """The head of one frame."""
        ...


def head_of_face(points_px: np.ndarray, depth_px: np.ndarray, camera: Camera, *, confidence: float) -> HeadReading:
    """Head pose from face landmarks.

    Args:
        points_px: (L, 2) in the frame, the face's first.
        depth_px: (L,) away from the camera, at the scale of the pixels there.
        camera: that took the frame.
        confidence: of the reading.
    """
    calibration = head_calibration()
    seen_px = np.column_stack([points_px, depth_px])[: len(calibration.face.points_head_m)]
    found = calibration.correct(seen_px)
    # A skull of average size: how large this one is, the body's distance tells later.
    depth_m = np.asarray(camera.focal_px * calibration.face.skull_radius_m / found.radius_px)
    center_cam_m = camera.unproject(found.center_px, depth_m)
    return HeadReading(ray_rotation(center_cam_m) @ found.rotation, center_cam_m, confidence)


def head_of_body(body: BodyReading, camera: Camera) -> HeadReading | None:
    """Head pose from the body's face points; None when they are degenerate or not seen at all."""
    points, canonical = canonical_body_points(average_face())
    weights = body.visibility[points]
    if weights.sum() < 1e-3:
        return None
    # Bring the body's metres to the pixels they span in the frame, so that depth has the scale of the picture.
    across_m, across_px = body.points_body_m[points, :2], body.points_px[points]
    pixels_per_m = _extent(across_px) / max(_extent(across_m), 1e-6)
    seen = np.column_stack([across_px, body.points_body_m[points, 2] * pixels_per_m])
    confidence = _BODY_HEAD_TRUST * float(weights.mean()) * body.score
    return _pose(canonical, seen, weights, camera, confidence)


def canonical_body_points(face: AverageFace) -> tuple[list[Point], np.ndarray]:
    """The body's face points, and (11, 3) where the average head has them."""
    return list(_BODY_TO_FACE), np.array([face.points_head_m[list(at)].mean(axis=0) for at in _BODY_TO_FACE.values()])


def _extent(points: np.ndarray) -> float:
    """Diagonal of the box around (N, 2) points."""
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def _pose(
    canonical_head_m: np.ndarray, seen_px: np.ndarray, weights: np.ndarray, camera: Camera, confidence: float
) -> HeadReading:
    """The pose that carries canonical points onto points (N, 3) seen in pixels with pixel depths."""
    turn, pixels_per_m = align(canonical_head_m, seen_px, weights)
    share = weights / weights.sum()
    arm_m = -turn @ (share @ canonical_head_m)
    center_px = share @ seen_px[:, :2] + pixels_per_m * arm_m[:2]
    depth_m = np.asarray(camera.focal_px / pixels_per_m + arm_m[2])
    center_cam_m = camera.unproject(center_px, depth_m)
    return HeadReading(ray_rotation(center_cam_m) @ turn, center_cam_m, confidence)


def ray_rotation(point_cam_m: np.ndarray) -> np.ndarray:
    """The shortest rotation from the optical axis to the ray through a point.

    What is seen away from the middle of the picture is seen along its own ray: a head that looks straight into the
    camera from there is turned against the camera's axes.
    """
    return shortest_rotation(np.array((0.0, 0.0, 1.0)), point_cam_m)
