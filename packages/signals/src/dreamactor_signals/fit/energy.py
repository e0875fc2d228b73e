"""What a fit minimises: how unlikely a posed body is, given what was seen and how bodies are.

Every term is a squared residual over its own spread, so that weights are what noise was measured, not taste.

Legend: T frames, J joints, B bones, S shape parameters.
"""

from dataclasses import dataclass

import numpy as np
import torch
from dreamactor_core.skeleton import BONES, JOINT_NAMES, joint_index
from torch import Tensor

from dreamactor_signals.fit.keypoints import Keypoints
from dreamactor_signals.fit.priors import pose_prior


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of everything that a fit weighs.

    Attributes:
        image_m: of a seen body joint, in metres at the body's distance. finger_m: of a finger's.
        outlier: residuals beyond this many spreads count less and less (Geman-McClure).
        depth_rad: of the tracker's own 3-D direction of a limb.
        acceleration: of a bone's rotation matrix, 1/s^2. distance_rate: of the body's distance, 1/s.
        head_size: of the seen size of the skull, as a share of it.
        limit_rad: how softly a limit gives.
        shape_weight: how much a frame's worth of evidence the shape prior is: errors of a tracker are alike in all frames.
    """

    image_m: float = 0.02
    finger_m: float = 0.012
    outlier: float = 4.0
    depth_rad: float = 0.25
    acceleration: float = 100.0
    distance_rate: float = 0.3
    head_size: float = 0.04
    limit_rad: float = 0.05
    shape_weight: float = 0.1


@dataclass(frozen=True)
class Pose:
    """A posed body before its camera.

    Attributes:
        shape: (S,). turns: (T, B, 3) of bones against their parents. rotations: (T, B, 3, 3) from the T pose into camera space.
        distance_log: (T,).
        joints: (T, J, 3) from where the pelvis bone starts. joints_cam: (T, J, 3).
        skull_cam: (T, 3). skull_radius: ().
    """

    shape: Tensor
    turns: Tensor
    rotations: Tensor
    distance_log: Tensor
    joints: Tensor
    joints_cam: Tensor
    skull_cam: Tensor
    skull_radius: Tensor


class Energy:
    """The energy of a clip.

    Args:
        keypoints: what was seen.
        focal_px, principal_px: of the camera.
        fps: frames a second.
        spreads: of every term.
        device: of all tensors.
    """

    def __init__(
        self,
        keypoints: Keypoints,
        focal_px: float,
        principal_px: np.ndarray,
        fps: float,
        spreads: Spreads,
        device: torch.device,
    ) -> None:
        def tensor(array: np.ndarray) -> Tensor:
            return torch.as_tensor(np.asarray(array), dtype=torch.float32, device=device)

        self._spreads, self._fps = spreads, fps
        self._rays = tensor((keypoints.points_px - principal_px) / focal_px)
        self._confidence = tensor(keypoints.confidence)
        self._spread_m = tensor(np.where(_KNUCKLES_ON, spreads.finger_m, spreads.image_m))
        self._confidence_body = self._confidence * tensor(~_KNUCKLES_ON)
        self._prior = {name: tensor(getattr(pose_prior(), name)) for name in ("mean", "spread", "low", "high")}
        self._directions = None if keypoints.joints_cam_m is None else tensor(_directions(keypoints.joints_cam_m))
        self._head_log = None
        if keypoints.head_radius_px is not None:
            self._head_seen = tensor(keypoints.head_radius_px > 0)
            self._head_log = tensor(np.log(np.maximum(keypoints.head_radius_px, 1e-3) / focal_px))
        self._ends = torch.as_tensor(_DIRECTIONS, device=device)

    def terms(self, pose: Pose, *, fingers: bool, tolerance: float = 1.0) -> dict[str, Tensor]:
        """Each term, summed over the clip; with or without what is seen of the fingers beyond their first knuckles."""
        confidence = self._confidence if fingers else self._confidence_body
        return {
            "image": self._image(pose, confidence, tolerance),
            "depth": self._depth(pose, confidence, tolerance),
            "pose": self._pose(pose),
            "shape": self._spreads.shape_weight * len(pose.joints) * pose.shape.square().sum(),
            "motion": self._motion(pose),
            "head": self._head(pose),
        }

    def _image(self, pose: Pose, confidence: Tensor, tolerance: float) -> Tensor:
        depth = pose.joints_cam[..., 2].clamp_min(0.05)
        distance = pose.distance_log.detach().exp()[:, None]
        miss = (pose.joints_cam[..., :2] / depth[..., None] - self._rays) * distance[..., None]
        square = miss.square().sum(-1) / self._spread_m.square()
        limit = (tolerance * self._spreads.outlier) ** 2
        return (confidence * square / (1 + square / limit)).sum()

    def _depth(self, pose: Pose, confidence: Tensor, tolerance: float) -> Tensor:
        if self._directions is None:
            return torch.zeros((), device=pose.joints.device)
        ends = pose.joints[:, self._ends]
        along = torch.nn.functional.normalize(ends[:, :, 1] - ends[:, :, 0], dim=-1)
        square = (along - self._directions).square().sum(-1) / self._spreads.depth_rad**2
        limit = (tolerance * self._spreads.outlier) ** 2
        return (confidence[:, self._ends].amin(-1) * square / (1 + square / limit)).sum()

    def _head(self, pose: Pose) -> Tensor:
        if self._head_log is None:
            return torch.zeros((), device=pose.joints.device)
        seen_log = torch.log(pose.skull_radius) - torch.log(pose.skull_cam[:, 2].clamp_min(0.05))
        miss = (seen_log - self._head_log) / self._spreads.head_size
        return (self._head_seen * miss.square() / (1 + miss.square() / self._spreads.outlier**2)).sum()

    def _pose(self, pose: Pose) -> Tensor:
        prior = self._prior
        common = ((pose.turns - prior["mean"]) / prior["spread"])[:, 1:].square().sum()
        beyond = torch.relu(prior["low"] - pose.turns) + torch.relu(pose.turns - prior["high"])
        return common + (beyond[:, 1:] / self._spreads.limit_rad).square().sum()

    def _motion(self, pose: Pose) -> Tensor:
        if len(pose.joints) < 3:
            return torch.zeros((), device=pose.joints.device)
        # Of rotations, not of joints: a smaller body would move less.
        turns = pose.rotations
        bend = (turns[2:] - 2 * turns[1:-1] + turns[:-2]) * self._fps**2 / self._spreads.acceleration
        approach = torch.diff(pose.distance_log) * self._fps / self._spreads.distance_rate
        return bend.square().sum() + approach.square().sum()


# Joints of the fingers beyond the first knuckle: many, small, and no judges of where a body stands.
_KNUCKLES_ON = np.array([name[-2:] in ("_2", "_3", "_4") for name in JOINT_NAMES])
# Directions that a tracker's 3-D is compared in: all bones, and the lines across the torso.
_DIRECTIONS = np.concatenate(
    [
        BONES,
        [
            (joint_index("right_hip"), joint_index("left_hip")),
            (joint_index("right_shoulder"), joint_index("left_shoulder")),
        ],
    ]
)


def _directions(joints_m: np.ndarray) -> np.ndarray:
    """(T, D, 3) unit directions."""
    along = joints_m[:, _DIRECTIONS[:, 1]] - joints_m[:, _DIRECTIONS[:, 0]]
    return along / np.linalg.norm(along, axis=-1, keepdims=True).clip(1e-6)
