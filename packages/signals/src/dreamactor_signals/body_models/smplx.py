"""SMPL-X as a body model, from a licensed file; the skinning is the `smplx` package's.

Legend: T frames, B bones (`body_models.bones`), J joints, K = 55 joints of SMPL-X, V vertices, S shape parameters.
"""

from functools import cached_property
from pathlib import Path

import numpy as np
from dreamactor_core.skeleton import JOINT_NAMES

from dreamactor_signals.body_models.bones import BONE_NAMES, FINGERS, SIDES, bone_index
from dreamactor_signals.body_models.protocol import Articulation
from dreamactor_signals.body_models.smplx_file import JOINTS, load_smplx
from dreamactor_signals.body_models.sphere import nearest_sphere
from dreamactor_signals.body_models.t_pose import RestBody, to_t_pose

_BODY = {"spine_1": "spine1", "spine_2": "spine2", "spine_3": "spine3"}
_LIMBS = {
    "thigh": "hip",
    "shin": "knee",
    "foot": "ankle",
    "toes": "foot",
    "clavicle": "collar",
    "upper_arm": "shoulder",
    "lower_arm": "elbow",
    "hand": "wrist",
}
# Joints of our table that start a bone, and those that are vertices, by the `smplx` package's names for these.
_JOINT_BONES = {"shoulder": "upper_arm", "elbow": "lower_arm", "wrist": "hand"} | {
    "hip": "thigh",
    "knee": "shin",
    "ankle": "foot",
}
_VERTEX_JOINTS = {"heel": ("Heel", "foot"), "toe": ("BigToe", "toes")}
_EYE = "left_eye_smplhf"


class SmplxBody:
    """SMPL-X: see `body_models.protocol.BodyModel`.

    Args:
        path: of a file that `dreamactor signals convert-smplx` wrote.

    Raises:
        InputError: missing file.
        WeightsError: not a converted SMPL-X file, or a damaged one; or the `smplx` package is not installed.
    """

    def __init__(self, path: Path) -> None:
        self._model = load_smplx(path)
        self.name = f"smplx sha256:{self._model.sha256}"
        self.faces = self._model.faces

    @property
    def articulation(self) -> Articulation:
        """See the protocol."""
        return self._t_pose[0]

    def vertices_m(self, shape: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        """See the protocol."""
        import torch
        from smplx.lbs import lbs

        model = self._model
        turned = (rotations @ self._t_pose[1])[:, _bone_of_joint()]
        local = np.swapaxes(turned[:, np.maximum(model.parents, 0)], -1, -2) @ turned
        local[:, 0] = turned[:, 0]

        def tensor(array: np.ndarray) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32)

        vertices, joints = lbs(
            tensor(np.tile(shape, (len(rotations), 1))),
            tensor(local),
            tensor(model.template_m)[None],
            tensor(model.shape_m),
            tensor(model.pose_m.reshape(-1, model.pose_m.shape[-1]).T),
            tensor(model.regressor),
            torch.as_tensor(model.parents),
            tensor(model.weights),
            pose2rot=False,
        )
        return (vertices - joints[:, :1]).numpy()

    @cached_property
    def _t_pose(self) -> tuple[Articulation, np.ndarray]:
        shapes_m = np.concatenate([self._model.template_m[None], np.moveaxis(self._model.shape_m, 2, 0)])
        starts_m = np.einsum("kv,nvi->nki", self._model.regressor, shapes_m)
        chosen = [_smplx_joint(bone) for bone in BONE_NAMES]
        bones, joints_m = self._joints(shapes_m, starts_m)
        spheres = [
            nearest_sphere((shapes_m[0] + (moves if n else 0))[self._cranium]) for n, moves in enumerate(shapes_m)
        ]
        skull_m = np.array([[*center_m, radius_m] for center_m, radius_m in spheres])
        skull_m[1:] -= skull_m[0]
        return to_t_pose(RestBody(starts_m[:, chosen], joints_m, bones, skull_m))

    def _joints(self, shapes_m: np.ndarray, starts_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(J,) bones that carry our joints, and (1 + S, J, 3) where these lie at rest."""
        bones = np.full(len(JOINT_NAMES), -1)
        joints_m = np.zeros((len(shapes_m), len(JOINT_NAMES), 3))
        for joint, name in enumerate(JOINT_NAMES):
            side, _, part = name.partition("_")
            if side not in SIDES:
                continue
            finger, _, number = part.partition("_")
            if part in _VERTEX_JOINTS:
                vertex, bone = _VERTEX_JOINTS[part]
                bones[joint] = bone_index(f"{side}_{bone}")
                joints_m[:, joint] = shapes_m[:, _vertex(f"{side[0].upper()}{vertex}")]
            elif number == "4":
                bones[joint] = bone_index(f"{side}_{finger}_3")
                joints_m[:, joint] = shapes_m[:, _vertex(f"{side[0]}{finger}")]
            else:
                bone = f"{side}_{_JOINT_BONES.get(part, part)}"
                bones[joint] = bone_index(bone)
                joints_m[:, joint] = starts_m[:, _smplx_joint(bone)]
        return bones, joints_m

    @cached_property
    def _cranium(self) -> np.ndarray:
        """Vertices of the head above the eyes."""
        eyes_m = self._model.regressor[_joint_names().index(_EYE)] @ self._model.template_m
        on_head = self._model.weights[:, _joint_names().index("head")] > 0.5
        return np.flatnonzero(on_head & (self._model.template_m[:, 1] > eyes_m[1] + 0.02))


def _joint_names() -> list[str]:
    from smplx.joint_names import JOINT_NAMES as NAMES

    return list(NAMES[:JOINTS])


def _vertex(name: str) -> int:
    from smplx.vertex_ids import vertex_ids

    return int(vertex_ids["smplx"][name])


def _smplx_joint(bone: str) -> int:
    """Where one of our bones starts among the joints of SMPL-X."""
    side, _, limb = bone.partition("_")
    if side not in SIDES:
        return _joint_names().index(_BODY.get(bone, bone))
    finger, _, number = limb.partition("_")
    return _joint_names().index(f"{side}_{finger}{number}" if finger in FINGERS else f"{side}_{_LIMBS[limb]}")


def _bone_of_joint() -> np.ndarray:
    """(K,) which of our bones turns each joint of SMPL-X; jaw and eyes turn with the head."""
    bones = np.full(JOINTS, bone_index("head"))
    for bone in BONE_NAMES:
        bones[_smplx_joint(bone)] = bone_index(bone)
    return bones
