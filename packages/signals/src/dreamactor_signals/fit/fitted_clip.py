"""What a fit finds: one body moving through a clip.

Legend: T video frames, J joints, B bones, S shape parameters, V vertices.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_signals.body_models.protocol import BodyModel


@dataclass(frozen=True)
class FittedClip:
    """A body of one shape, posed in every frame, before a camera.

    Attributes:
        body: the model that was fitted.
        shape: (S,) float32.
        rotations_cam: (T, B, 3, 3) float32 from the T pose in body axes to the pose in camera space, of every bone.
        pelvis_cam_m: (T, 3) float32 where the pelvis bone starts.
        joints_cam_m: (T, J, 3) float32.
        joint_confidence: (T, J) float32: seen joints keep the tracker's, unseen ones count as guessed.
        head_rotation: (T, 3, 3) float32, head coordinates to camera space, as in a motion track.
        head_center_cam_m: (T, 3) float32. head_radius_m: of the skull sphere.
        focal_px, principal_px: of the camera.
        residual_px: (T, J) float32 distance between seen and fitted, 0 where nothing was seen.
    """

    body: BodyModel
    shape: np.ndarray
    rotations_cam: np.ndarray
    pelvis_cam_m: np.ndarray
    joints_cam_m: np.ndarray
    joint_confidence: np.ndarray
    head_rotation: np.ndarray
    head_center_cam_m: np.ndarray
    head_radius_m: float
    focal_px: float
    principal_px: np.ndarray
    residual_px: np.ndarray

    def vertices_cam_m(self, frames: slice = slice(None)) -> np.ndarray:
        """(T, V, 3) float32 the body's mesh in camera space; its triangles are `body.faces`."""
        return self.body.vertices_m(self.shape, self.rotations_cam[frames]) + self.pelvis_cam_m[frames, None]
