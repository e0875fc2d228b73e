"""A clip's joints and head from a body fitted to what the networks see, in place of what they say.

Legend: T video frames, J joints.
"""

from dataclasses import replace

import numpy as np

from dreamactor_signals.body_models.protocol import BodyModel
from dreamactor_signals.fit.keypoints import Keypoints
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_head import Heads


def fitted_clip(
    joints_cam_m: np.ndarray,
    confidence: np.ndarray,
    heads: Heads,
    camera: Camera,
    frame_size: tuple[int, int],
    fps: float,
    body: BodyModel,
) -> tuple[np.ndarray, np.ndarray, Heads]:
    """Joints (T, J, 3), confidences (T, J) and heads of the body that explains a shot best.

    The head keeps its place in the picture and its rotation, which the face tells better; it moves to the fitted
    body's distance and grows with it. Frames in which no joint was seen stay without joints.

    Args:
        joints_cam_m: (T, J, 3) and confidence: (T, J) of the networks.
        heads: of the networks.
        camera, frame_size, fps: of the clip.
        body: the model.
    """
    seen = np.asarray(confidence.max(axis=1) > 0)
    if not seen.any():
        return joints_cam_m, confidence, heads
    # Imported here: torch takes longer than this package's door may, and not every installation has it.
    from dreamactor_signals.fit import fit_clip

    keypoints = Keypoints(
        points_px=camera.project(np.where(confidence[..., None] > 0, joints_cam_m, (0, 0, 1))).astype(np.float32),
        confidence=confidence.astype(np.float32),
        frame_size=frame_size,
        joints_cam_m=joints_cam_m.astype(np.float32),
        focal_px=camera.focal_px,
        head_radius_px=_radius_px(heads, camera),
    )
    fit = fit_clip(keypoints, body, fps=fps)
    both = seen & (heads.confidence > 0)
    nearer = np.median(fit.head_center_cam_m[both, 2] / heads.center_cam_m[both, 2]) if both.any() else 1.0
    heads = replace(heads, center_cam_m=heads.center_cam_m * nearer, radius_m=heads.radius_m * nearer)
    return fit.joints_cam_m * seen[:, None, None], fit.joint_confidence * seen[:, None], heads


def _radius_px(heads: Heads, camera: Camera) -> np.ndarray:
    """(T,) how large the skull sphere is seen, 0 without a head."""
    depth_m = heads.center_cam_m[:, 2]
    here = (heads.confidence > 0) & (depth_m > 0)
    return np.where(here, heads.radius_m * camera.focal_px / np.where(here, depth_m, 1), 0).astype(np.float32)
