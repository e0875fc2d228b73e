"""Forward kinematics of a body model's joints in torch: batched over frames, level by level down the tree.

Legend: T frames, B bones, J joints, S shape parameters.
"""

import numpy as np
import torch
from dreamactor_core.skeleton import joint_index
from torch import Tensor

from dreamactor_signals.body_models.bones import BONE_COUNT, BONE_PARENTS, bone_index
from dreamactor_signals.body_models.protocol import Articulation

_MIDPOINTS = {"pelvis": ("left_hip", "right_hip"), "neck": ("left_shoulder", "right_shoulder")}


def _levels() -> list[np.ndarray]:
    """Bones by their distance from the pelvis."""
    depth = np.zeros(BONE_COUNT, dtype=int)
    for bone in range(1, BONE_COUNT):
        depth[bone] = depth[BONE_PARENTS[bone]] + 1
    return [np.flatnonzero(depth == level) for level in range(1, depth.max() + 1)]


class Kinematics:
    """Bones and joints of a body as functions of shape and pose.

    Args:
        articulation: of the body model.
        device: that everything is computed on.
        marker_offsets_m: (J, 3) from joints to what is called so; None for the joints themselves.
    """

    def __init__(
        self, articulation: Articulation, device: torch.device, marker_offsets_m: np.ndarray | None = None
    ) -> None:
        def tensor(array: np.ndarray) -> Tensor:
            return torch.as_tensor(array, dtype=torch.float32, device=device)

        self._starts_mean = tensor(articulation.starts_mean_m)
        self._starts_basis = tensor(articulation.starts_basis_m)
        joints_m = articulation.joints_mean_m + (0 if marker_offsets_m is None else marker_offsets_m)
        self._joints_mean = tensor(np.concatenate([joints_m, articulation.skull_mean_m[None, :3]]))
        self._joints_basis = tensor(
            np.concatenate([articulation.joints_basis_m, articulation.skull_basis_m[:, None, :3]], axis=1)
        )
        # The skull's centre is carried like one more joint.
        carriers = np.append(np.maximum(articulation.joint_bones, 0), bone_index("head"))
        self._carriers = torch.as_tensor(carriers, device=device)
        self._radius_mean, self._radius_basis = (
            tensor(array[..., 3]) for array in (articulation.skull_mean_m, articulation.skull_basis_m)
        )
        self._levels = [torch.as_tensor(level, device=device) for level in _levels()]
        self._parents = [torch.as_tensor(BONE_PARENTS[level], device=device) for level in _levels()]
        # Where each bone stands once the levels are strung together.
        order = np.concatenate([[0], *_levels()])
        self._places = torch.as_tensor(np.argsort(order), device=device)
        places = np.argsort(order)
        self._parent_places = [torch.as_tensor(places[BONE_PARENTS[level]], device=device) for level in _levels()]

    def pose(self, shape: Tensor, root: Tensor, local: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotations, joints and skull of a posed body.

        Args:
            shape: (S,).
            root: (T, 3, 3) of the pelvis, from body axes into those it is posed in.
            local: (T, B, 3, 3) of every bone against its parent, in body axes; the pelvis's is not used.

        Returns:
            (T, B, 3, 3) rotations from the T pose, (T, J, 3) joints and (T, 3) centre of the skull; the pelvis bone
            starts at the origin.
        """
        starts = self._starts_mean + torch.tensordot(shape, self._starts_basis, 1)
        rotations, heads = root[:, None], torch.zeros_like(root[:, None, :, 0])
        for level, parents, places in zip(self._levels, self._parents, self._parent_places, strict=True):
            above = rotations[:, places]
            offset = (above @ (starts[level] - starts[parents])[:, :, None])[..., 0]
            heads = torch.cat([heads, heads[:, places] + offset], 1)
            rotations = torch.cat([rotations, above @ local[:, level]], 1)
        rotations, heads = rotations[:, self._places], heads[:, self._places]
        rest = self._joints_mean + torch.tensordot(shape, self._joints_basis, 1)
        offset = (rotations[:, self._carriers] @ (rest - starts[self._carriers])[:, :, None])[..., 0]
        carried = heads[:, self._carriers] + offset
        return rotations, _with_midpoints(carried[:, :-1]), carried[:, -1]

    def skull_radius(self, shape: Tensor) -> Tensor:
        """() metres."""
        return self._radius_mean + shape @ self._radius_basis


def _with_midpoints(joints: Tensor) -> Tensor:
    """(T, J, 3) with pelvis and neck set between hips and between shoulders."""
    pelvis, neck = (
        (joints[:, joint_index(left)] + joints[:, joint_index(right)]) / 2 for left, right in _MIDPOINTS.values()
    )
    # They are the first two joints of the table.
    return torch.cat([torch.stack([pelvis, neck], 1), joints[:, 2:]], 1)
