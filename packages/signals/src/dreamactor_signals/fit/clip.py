"""Fit a body to a clip.

Legend: T frames, J joints, B bones.
"""

from math import hypot, radians, tan

import numpy as np
import torch
from dreamactor_core.errors import InputError

from dreamactor_signals.body_models.bones import bone_index
from dreamactor_signals.body_models.protocol import BodyModel
from dreamactor_signals.fit.energy import Energy, Spreads
from dreamactor_signals.fit.fitted_clip import FittedClip
from dreamactor_signals.fit.keypoints import Keypoints
from dreamactor_signals.fit.kinematics import Kinematics
from dreamactor_signals.fit.solve import STAGES, Unknowns, descend
from dreamactor_signals.fit.start import FACING, start_pelvis, start_rotations

# What an unseen joint of a fitted body is worth.
_GUESSED = 0.05


def fit_clip(
    keypoints: Keypoints,
    body: BodyModel,
    *,
    fps: float,
    field_of_view_deg: float = 55.0,
    device: str = "cpu",
    spreads: Spreads | None = None,
) -> FittedClip:
    """Fit one body of one shape to all frames of a clip without cuts (paper 3.2; design section 4).

    Args:
        keypoints: what was seen; at least one joint in one frame.
        body: the model.
        fps: frames a second.
        field_of_view_deg: diagonal field of view assumed when the keypoints know no focal length.
        device: of torch, such as "cpu" or "cuda".
        spreads: how much each kind of evidence is trusted; None for what was measured with the embedded tracker.

    Raises:
        InputError: nothing was seen in any frame.
    """
    if not (keypoints.confidence > 0).any():
        raise InputError("no joint was seen in any frame: there is nothing to fit a body to")
    width, height = keypoints.frame_size
    focal_px = keypoints.focal_px or hypot(width, height) / 2 / tan(radians(field_of_view_deg) / 2)
    principal_px = np.array((width / 2, height / 2), dtype=np.float32)
    place = torch.device(device)
    articulation = body.articulation
    kinematics = Kinematics(articulation, place)
    energy = Energy(keypoints, focal_px, principal_px, fps, spreads or Spreads(), place)
    rotations = start_rotations(keypoints, articulation.joints_mean_m)
    unknowns = Unknowns(rotations, np.tile((0, 0, 1.0), (len(rotations), 1)), articulation.shape_count, place)
    with torch.no_grad():
        standing = unknowns.pose(kinematics)[0].joints.cpu().numpy()
    unknowns = Unknowns(
        rotations,
        start_pelvis(keypoints, standing, focal_px, principal_px),
        articulation.shape_count,
        place,
    )
    for stage in STAGES:
        descend(unknowns, kinematics, energy, stage)
    return _finished(keypoints, body, unknowns, kinematics, focal_px, principal_px)


def _finished(
    keypoints: Keypoints,
    body: BodyModel,
    unknowns: Unknowns,
    kinematics: Kinematics,
    focal_px: float,
    principal_px: np.ndarray,
) -> FittedClip:
    with torch.no_grad():
        pose, pelvis = unknowns.pose(kinematics)
    joints_cam_m = pose.joints_cam.cpu().numpy()
    rotations_cam, pelvis_cam_m = pose.rotations.cpu().numpy(), pelvis.cpu().numpy()
    shape = pose.shape.cpu().numpy()
    head = bone_index("head")
    seen_px = joints_cam_m[..., :2] / np.maximum(joints_cam_m[..., 2:], 0.05) * focal_px + principal_px
    residual_px = np.linalg.norm(seen_px - keypoints.points_px, axis=-1) * (keypoints.confidence > 0)
    return FittedClip(
        body=body,
        shape=shape,
        rotations_cam=rotations_cam,
        pelvis_cam_m=pelvis_cam_m,
        joints_cam_m=joints_cam_m,
        joint_confidence=np.where(keypoints.confidence > _GUESSED, keypoints.confidence, _GUESSED).astype(np.float32),
        head_rotation=rotations_cam[:, head] @ FACING.T.astype(np.float32),
        head_center_cam_m=pose.skull_cam.cpu().numpy(),
        head_radius_m=float(pose.skull_radius),
        focal_px=focal_px,
        principal_px=principal_px,
        residual_px=residual_px.astype(np.float32),
    )
