"""Staged minimisation of a clip's energy: the camera, the root and the shape, then the body, then the hands.

Legend: T frames, B bones, S shape parameters.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dreamactor_signals.body_models.bones import BONE_COUNT, BONE_PARENTS, FINGERS, SIDES, bone_index
from dreamactor_signals.fit.energy import Energy, Pose, windows
from dreamactor_signals.fit.kinematics import Kinematics
from dreamactor_signals.fit.rotations import from_axis_angle, from_columns, to_columns

_HAND_BONES = [
    bone_index(f"{side}_{bone}")
    for side in SIDES
    for bone in ("hand", *(f"{finger}_{number}" for finger in FINGERS for number in (1, 2, 3)))
]


@dataclass(frozen=True)
class Stage:
    """Some steps of descent in some of the unknowns.

    Attributes:
        free: names of the unknowns that move.
        steps: how many.
        rate: of the first step; it falls to a tenth.
        without: terms that do not count yet.
        fingers: whether fingers beyond their first knuckles count.
    """

    free: tuple[str, ...]
    steps: int
    rate: float
    without: tuple[str, ...] = ()
    fingers: bool = False


# How much further outliers are tolerated when a stage begins: what starts far off must not be taken for one.
_TOLERANCE = 20.0

STAGES = (
    Stage(("shape", "root", "place"), 50, 0.03, without=("motion",)),
    Stage(("shape", "root", "place", "body"), 200, 0.05),
    Stage(("hands",), 80, 0.03, fingers=True),
)


class Unknowns:
    """What is solved for.

    Args:
        rotations: (T, B, 3, 3) where bones start from, in camera space.
        pelvis_m: (T, 3).
        shape_count: S.
        device: of all tensors.
    """

    def __init__(self, rotations: np.ndarray, pelvis_m: np.ndarray, shape_count: int, device: torch.device) -> None:
        from scipy.spatial.transform import Rotation

        def tensor(array: np.ndarray) -> Tensor:
            return torch.as_tensor(array, dtype=torch.float32, device=device).clone()

        local = np.swapaxes(rotations[:, BONE_PARENTS], -1, -2) @ rotations
        turns = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_rotvec().reshape(-1, BONE_COUNT, 3)
        fingers = np.zeros(BONE_COUNT, dtype=bool)
        fingers[_HAND_BONES] = True
        self._fingers = torch.as_tensor(fingers, device=device)[:, None]
        # Across the picture in units of the distance, and the distance as a logarithm: what is seen well apart from
        # what is seen badly.
        place = np.concatenate([pelvis_m[:, :2] / pelvis_m[:, 2:], np.log(pelvis_m[:, 2:])], axis=1)
        self.values = {
            "shape": torch.zeros(shape_count, device=device),
            "root": to_columns(tensor(rotations[:, 0])),
            "place": tensor(place),
            "body": tensor(turns),
            "hands": torch.zeros_like(tensor(turns)),
        }

    def pose(self, kinematics: Kinematics, frames: slice = slice(None)) -> tuple[Pose, Tensor]:
        """The posed body in some frames, and where its pelvis bone starts (T, 3)."""
        values = self.values
        turns = (values["body"] + self._fingers * values["hands"])[frames]
        rotations, joints, skull = kinematics.pose(
            values["shape"], from_columns(values["root"][frames]), from_axis_angle(turns)
        )
        place = values["place"][frames]
        distance = place[:, 2:].exp()
        pelvis = torch.cat([place[:, :2] * distance, distance], 1)
        joints_cam = joints + pelvis[:, None]
        pose = Pose(
            shape=values["shape"],
            turns=turns,
            rotations=rotations,
            distance_log=place[:, 2],
            joints=joints,
            joints_cam=joints_cam,
            skull_cam=skull + pelvis,
            skull_radius=kinematics.skull_radius(values["shape"]),
        )
        return pose, pelvis


def descend(unknowns: Unknowns, kinematics: Kinematics, energy: Energy, stage: Stage) -> None:
    """Run one stage in place."""
    free = [unknowns.values[name].requires_grad_() for name in stage.free]
    frame_count = len(unknowns.values["place"])
    optimiser = torch.optim.Adam(free, lr=stage.rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, stage.steps, eta_min=stage.rate / 10)
    for step in range(stage.steps):
        optimiser.zero_grad()
        tolerance = _TOLERANCE ** (1 - step / stage.steps)
        for window in windows(frame_count):
            pose, _ = unknowns.pose(kinematics, window.frames)
            terms = energy.terms(pose, window, fingers=stage.fingers, tolerance=tolerance)
            total = torch.stack([value for name, value in terms.items() if name not in stage.without]).sum()
            (total / frame_count).backward()
        optimiser.step()
        schedule.step()
    for name in stage.free:
        unknowns.values[name] = unknowns.values[name].detach()
