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

_NEAREST_M = 0.05
_WINDOW = 256
# An acceleration takes three frames.
_KNOWN = 2


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of everything that a fit weighs.

    Attributes:
        image_m: of a seen joint, in metres at the body's distance. finger_m: of a finger's.
        outlier: residuals beyond this many spreads count less and less (Geman-McClure).
        depth_rad: of the tracker's own 3-D direction of a limb.
        upright: of the torso's lean towards the camera or away, as the sine of its angle, where legs are not seen:
            most people stand or sit, and most cameras are level. Who lies or bows is an outlier.
        head_size: of the seen size of the skull, as a share of it.
        acceleration: of a bone's rotation matrix, 1/s^2. distance_rate: of the body's distance, 1/s.
        limit_rad: how softly a limit gives.
        shape_weight: how many frames' worth of evidence the shape prior is, as a share of the clip: the errors of a
            tracker are alike in all frames.
    """

    image_m: float = 0.02
    finger_m: float = 0.012
    outlier: float = 4.0
    depth_rad: float = 0.12
    upright: float = 0.15
    head_size: float = 0.04
    acceleration: float = 500.0
    distance_rate: float = 0.3
    limit_rad: float = 0.05
    shape_weight: float = 1.0


@dataclass(frozen=True)
class Pose:
    """A posed body before its camera.

    Attributes:
        shape: (S,). turns: (T, B, 3) of bones against their parents.
        rotations: (T, B, 3, 3) from the T pose into camera space. distance_log: (T,).
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


@dataclass(frozen=True)
class Window:
    """A stretch of a clip: long clips are evaluated bit by bit, so that memory does not grow with them.

    Attributes:
        frames: of the clip.
        known: how many of them, at the front, belong to the window before and only tell how the motion goes on.
    """

    frames: slice
    known: int

    @property
    def new(self) -> int:
        """How many frames this window adds."""
        return int(self.frames.stop - self.frames.start) - self.known


def windows(frame_count: int) -> list[Window]:
    """The windows of a clip."""
    starts = range(0, frame_count, _WINDOW)
    return [
        Window(slice(max(start - _KNOWN, 0), min(start + _WINDOW, frame_count)), min(start, _KNOWN)) for start in starts
    ]


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
        # Legs show how a body leans; a torso alone looks alike a little forward and a little backward.
        self._legless = 1 - self._confidence[:, _KNEES].amax(-1)
        self._prior = {name: tensor(getattr(pose_prior(), name)[1:]) for name in ("mean", "spread", "low", "high")}
        self._directions = None if keypoints.joints_cam_m is None else tensor(_directions(keypoints.joints_cam_m))
        self._head_log = None
        if keypoints.head_radius_px is not None:
            self._head_seen = tensor(keypoints.head_radius_px > 0)
            self._head_log = tensor(np.log(np.maximum(keypoints.head_radius_px, 1e-3) / focal_px))
        self._ends = torch.as_tensor(_DIRECTIONS, device=device)

    def terms(self, pose: Pose, window: Window, *, fingers: bool, tolerance: float = 1.0) -> dict[str, Tensor]:
        """Each term, summed over a window's new frames.

        Args:
            pose: of the window's frames.
            window: of the clip.
            fingers: whether fingers beyond their first knuckles count.
            tolerance: by how much outliers are tolerated more than in the end.
        """
        seen = (self._confidence if fingers else self._confidence_body)[window.frames].clone()
        seen[: window.known] = 0
        limit = (tolerance * self._spreads.outlier) ** 2
        return {
            "image": (seen * _robust(self._image(pose, window), limit)).sum(),
            "depth": (seen[:, self._ends].amin(-1) * _robust(self._depth(pose, window), limit)).sum(),
            "upright": (self._legless[window.frames] * _robust(self._upright(pose), limit))[window.known :].sum(),
            "head": _robust(self._head(pose, window)[window.known :], limit).sum(),
            "pose": self._pose(pose.turns[window.known :, 1:]),
            "shape": self._spreads.shape_weight * window.new * pose.shape.square().sum(),
            "motion": self._motion(pose, window.known),
        }

    def _image(self, pose: Pose, window: Window) -> Tensor:
        depth = pose.joints_cam[..., 2].clamp_min(_NEAREST_M)
        distance = pose.distance_log.detach().exp()[:, None]
        miss = (pose.joints_cam[..., :2] / depth[..., None] - self._rays[window.frames]) * distance[..., None]
        return miss.square().sum(-1) / self._spread_m.square()

    def _depth(self, pose: Pose, window: Window) -> Tensor:
        if self._directions is None:
            return pose.joints.new_zeros(len(pose.joints), len(self._ends))
        starts, ends = (pose.joints.index_select(1, joints) for joints in self._ends.unbind(1))
        along = torch.nn.functional.normalize(ends - starts, dim=-1)
        return (along - self._directions[window.frames]).square().sum(-1) / self._spreads.depth_rad**2

    def _upright(self, pose: Pose) -> Tensor:
        # Only the lean in depth: how far a torso leans across the picture is seen.
        torso = torch.nn.functional.normalize(pose.joints[:, _NECK] - pose.joints[:, _PELVIS], dim=-1)
        return (torso[:, 2] / self._spreads.upright).square()

    def _head(self, pose: Pose, window: Window) -> Tensor:
        if self._head_log is None:
            return pose.joints.new_zeros(len(pose.joints))
        size_log = torch.log(pose.skull_radius) - torch.log(pose.skull_cam[:, 2].clamp_min(_NEAREST_M))
        miss = (size_log - self._head_log[window.frames]) / self._spreads.head_size
        return self._head_seen[window.frames] * miss.square()

    def _pose(self, turns: Tensor) -> Tensor:
        prior = self._prior
        common = ((turns - prior["mean"]) / prior["spread"]).square().sum()
        beyond = torch.relu(prior["low"] - turns) + torch.relu(turns - prior["high"])
        return common + (beyond / self._spreads.limit_rad).square().sum()

    def _motion(self, pose: Pose, known: int) -> Tensor:
        # Of rotations, not of joints: a smaller body would move less.
        turns = pose.rotations
        bend = (turns[2:] - 2 * turns[1:-1] + turns[:-2]) * self._fps**2 / self._spreads.acceleration
        approach = torch.diff(pose.distance_log[max(known - 1, 0) :]) * self._fps / self._spreads.distance_rate
        return bend.square().sum() + approach.square().sum()


def _robust(square: Tensor, limit: float) -> Tensor:
    """Geman-McClure: a squared residual that never counts more than `limit`."""
    return square / (1 + square / limit)


# Joints of the fingers beyond the first knuckle: many, small, and no judges of where a body stands.
_KNUCKLES_ON = np.array([name[-2:] in ("_2", "_3", "_4") for name in JOINT_NAMES])
_PELVIS, _NECK = joint_index("pelvis"), joint_index("neck")
_KNEES = [joint_index("left_knee"), joint_index("right_knee")]
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
