"""From image points and a body-centred skeleton to metric joints in camera space.

Legend: T video frames, P = 33 body points, H = 21 hand points.
"""

import numpy as np

from dreamactor_signals.trackers.embedded.camera import Camera

_ROUNDS = 5
_NEAREST_M, _FARTHEST_M = 0.15, 50.0
# Residuals beyond this many times the median count less and less.
_OUTLIER = 2.5


def root_position(points_px: np.ndarray, points_body_m: np.ndarray, weights: np.ndarray, camera: Camera) -> np.ndarray:
    """Where in camera space a skeleton must stand to look as seen: robust linear least squares over its points.

    Args:
        points_px: (N, 2).
        points_body_m: (N, 3) along the camera's axes, around any origin.
        weights: (N,) confidences.
        camera: that took the frame.

    Returns:
        (3,) camera-space position of the skeleton's origin, in metres.
    """
    rays = (points_px - np.asarray(camera.principal_px)) / camera.focal_px
    # x + X = u (z + Z) for each point, linear in the root (X, Y, Z); the same for y.
    ones, zeros = np.ones(len(rays)), np.zeros(len(rays))
    system = np.concatenate([np.stack([ones, zeros, -rays[:, 0]], 1), np.stack([zeros, ones, -rays[:, 1]], 1)])
    known = (rays * points_body_m[:, 2:] - points_body_m[:, :2]).T.ravel()
    robust = np.ones(len(rays))
    root = np.zeros(3)
    for _ in range(_ROUNDS):
        spread = np.tile(np.sqrt(weights * robust), 2)
        root = np.linalg.lstsq(system * spread[:, None], known * spread, rcond=None)[0]
        residual = np.linalg.norm((system @ root - known).reshape(2, -1), axis=0)
        limit = max(_OUTLIER * _weighted_median(residual, weights), 1e-9)
        robust = np.minimum(1.0, limit / np.maximum(residual, 1e-12))
    root[2] = np.clip(root[2], _NEAREST_M, _FARTHEST_M)
    return root


def place_body(
    points_px: np.ndarray,
    points_body_m: np.ndarray,
    visibility: np.ndarray,
    root_cam_m: np.ndarray,
    camera: Camera,
) -> np.ndarray:
    """Put each point on its own ray, at the root's depth plus its own.

    What is hidden or outside the frame has no trustworthy image point: it moves towards where the skeleton, standing
    at the root, would have it.

    Args:
        points_px: (T, P, 2); points_body_m: (T, P, 3); visibility: (T, P); root_cam_m: (T, 3).

    Returns:
        (T, P, 3) in camera space.
    """
    standing_cam_m = points_body_m + root_cam_m[:, None]
    standing_cam_m[..., 2] = np.maximum(standing_cam_m[..., 2], _NEAREST_M)
    trust = visibility[..., None]
    blended_px = trust * points_px + (1 - trust) * camera.project(standing_cam_m)
    return camera.unproject(blended_px, standing_cam_m[..., 2])


def place_hand(
    points_px: np.ndarray, points_hand_m: np.ndarray, wrist_depth_m: np.ndarray, camera: Camera
) -> np.ndarray:
    """Put a hand on its image points at its wrist's depth; its own depth is scaled as its image is.

    Args:
        points_px: (T, H, 2); points_hand_m: (T, H, 3); wrist_depth_m: (T,).

    Returns:
        (T, H, 3) in camera space.
    """
    wrist_depth_m = wrist_depth_m[:, None]
    seen_m = (points_px - points_px.mean(axis=1, keepdims=True)) / camera.focal_px * wrist_depth_m[..., None]
    own_m = points_hand_m - points_hand_m.mean(axis=1, keepdims=True)
    scale = (seen_m * own_m[..., :2]).sum(axis=(1, 2)) / np.maximum((own_m[..., :2] ** 2).sum(axis=(1, 2)), 1e-9)
    # A hand seen along its fingers has almost no image to measure.
    scale = np.clip(scale, 0.4, 2.5)[:, None]
    depth_m = wrist_depth_m + scale * (points_hand_m[..., 2] - points_hand_m[:, :1, 2])
    return camera.unproject(points_px, np.maximum(depth_m, _NEAREST_M))


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(values[order][min(half, len(values) - 1)])
