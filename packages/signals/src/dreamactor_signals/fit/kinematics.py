"""Forward kinematics of a body model's joints in torch: batched over frames, level by level down the tree.

Legend: T frames, B bones, J joints, S shape parameters.
"""

from itertools import pairwise

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
    """

    def __init__(self, articulation: Articulation, device: torch.device) -> None:
        def tensor(array: np.ndarray) -> Tensor:
            return torch.as_tensor(array, dtype=torch.float32, device=device)

        self._starts_mean = tensor(articulation.starts_mean_m)
        self._starts_basis = tensor(articulation.starts_basis_m)
        self._joints_mean = tensor(np.concatenate([articulation.joints_mean_m, articulation.skull_mean_m[None, :3]]))
        self._joints_basis = tensor(
            np.concatenate([articulation.joints_basis_m, articulation.skull_basis_m[:, None, :3]], axis=1)
        )
        # The skull's centre is carried like one more joint.
        carriers = np.append(np.maximum(articulation.joint_bones, 0), bone_index("head"))
        self._carriers = torch.as_tensor(carriers, device=device)
        self._radius_mean, self._radius_basis = (
            tensor(array[..., 3]) for array in (articulation.skull_mean_m, articulation.skull_basis_m)
        )
        levels = [np.array([0]), *_levels()]
        order = np.concatenate(levels)
        # Of the bones in the order of their levels: their parents, and where each bone stands.
        self._order = torch.as_tensor(order, device=device)
        self._parents = torch.as_tensor(np.maximum(BONE_PARENTS[order], 0), device=device)
        self._places = torch.as_tensor(np.argsort(order), device=device)
        self._sizes = [len(level) for level in levels]
        # A bone's parent is one level above; where among that level's bones.
        self._above = [
            torch.as_tensor(np.searchsorted(above, BONE_PARENTS[level]), device=device)
            for above, level in pairwise(levels)
        ]

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
        ordered = starts.index_select(0, self._order)
        offsets = (ordered - starts.index_select(0, self._parents)).split(self._sizes)
        turns = local.index_select(1, self._order).split(self._sizes, 1)
        # index_select, because its gradient is many times quicker than that of indexing.
        levels, places = [root[:, None]], [torch.zeros_like(root[:, None, :, 0])]
        for above, offset, turn in zip(self._above, offsets[1:], turns[1:], strict=True):
            carrier = levels[-1].index_select(1, above)
            places.append(places[-1].index_select(1, above) + (carrier @ offset[:, :, None])[..., 0])
            levels.append(carrier @ turn)
        rotations = torch.cat(levels, 1).index_select(1, self._places)
        heads = torch.cat(places, 1).index_select(1, self._places)
        rest = self._joints_mean + torch.tensordot(shape, self._joints_basis, 1)
        from_start = (rest - starts.index_select(0, self._carriers))[:, :, None]
        carried = heads.index_select(1, self._carriers)
        carried = carried + (rotations.index_select(1, self._carriers) @ from_start)[..., 0]
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
