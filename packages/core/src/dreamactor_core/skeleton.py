"""The skeleton table: names, parents and colours of the joints that a motion track holds and the skeleton map shows.

The face has no joints here: the head sphere and the face tokens own it (paper 3.2). `left` and `right` are the
person's own. The pelvis is the midpoint of the hips, the neck the midpoint of the shoulders.
"""

import colorsys

import numpy as np

_SIDES = ("left", "right")
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")

# joint -> parent; a hand's root is its wrist.
_TREE: dict[str, str | None] = {"pelvis": None, "neck": "pelvis"}
for _side in _SIDES:
    _TREE |= {
        f"{_side}_shoulder": "neck",
        f"{_side}_elbow": f"{_side}_shoulder",
        f"{_side}_wrist": f"{_side}_elbow",
    }
for _side in _SIDES:
    _TREE |= {
        f"{_side}_hip": "pelvis",
        f"{_side}_knee": f"{_side}_hip",
        f"{_side}_ankle": f"{_side}_knee",
        f"{_side}_heel": f"{_side}_ankle",
        f"{_side}_toe": f"{_side}_ankle",
    }
for _side in _SIDES:
    for _finger in _FINGERS:
        # 1 is the knuckle nearest the wrist, 4 the tip.
        for _knuckle in range(1, 5):
            _TREE[f"{_side}_{_finger}_{_knuckle}"] = (
                f"{_side}_wrist" if _knuckle == 1 else f"{_side}_{_finger}_{_knuckle - 1}"
            )

JOINT_NAMES: tuple[str, ...] = tuple(_TREE)
JOINT_COUNT: int = len(JOINT_NAMES)
_INDEX = {name: index for index, name in enumerate(JOINT_NAMES)}

PARENTS: np.ndarray = np.array([-1 if parent is None else _INDEX[parent] for parent in _TREE.values()], dtype=np.int64)
"""(J,) index of each joint's parent, -1 for the pelvis. Parents stand before their children."""

BONES: np.ndarray = np.array([(PARENTS[j], j) for j in range(JOINT_COUNT) if PARENTS[j] >= 0], dtype=np.int64)
"""(J-1, 2) pairs of (parent, child); bone i ends at joint i + 1."""

BODY_JOINTS = slice(0, 18)
LEFT_HAND_JOINTS = slice(18, 38)
RIGHT_HAND_JOINTS = slice(38, 58)


def joint_index(name: str) -> int:
    """Index of a joint by name.

    Raises:
        KeyError: no such joint.
    """
    return _INDEX[name]


def _limb_bones() -> dict[str, np.ndarray]:
    """Limb -> its bones, of both sides and of each."""
    ends: dict[str, tuple[str, ...]] = {
        "shoulder": ("shoulder",),
        "upper_arm": ("elbow",),
        "forearm": ("wrist",),
        "hip": ("hip",),
        "thigh": ("knee",),
        "shin": ("ankle",),
        "foot": ("heel", "toe"),
        "hand": tuple(f"{finger}_{knuckle}" for finger in _FINGERS for knuckle in range(1, 5)),
    }
    # Bone i ends at joint i + 1.
    bones = {"spine": np.array([_INDEX["neck"] - 1])}
    for limb, joints in ends.items():
        sides = {side: [_INDEX[f"{side}_{joint}"] - 1 for joint in joints] for side in _SIDES}
        bones[limb] = np.array(sides["left"] + sides["right"])
        bones |= {f"{side}_{limb}": np.array(of_side) for side, of_side in sides.items()}
    return bones


LIMB_BONES: dict[str, np.ndarray] = _limb_bones()
"""Bones by the names that people use: `upper_arm` for both sides, `left_upper_arm` for one, and so on."""


MIRROR: np.ndarray = np.array(
    [
        _INDEX[name.replace("left_", "right_") if name.startswith("left_") else name.replace("right_", "left_")]
        for name in JOINT_NAMES
    ],
    dtype=np.int64,
)
"""(J,) index of the joint on the other side; a middle joint is its own mirror."""


def _bone_colours() -> np.ndarray:
    """(J-1, 3) uint8 RGB. Body bones walk once around the hue circle; fingers have own hues, darker to the tip."""
    colours = []
    body_bones = BODY_JOINTS.stop - 1
    for bone in range(len(BONES)):
        if bone < body_bones:
            hue, value = bone / body_bones, 1.0
        else:
            place = bone - body_bones
            hue = ((place // 4) % 10) / 10 + 0.03
            value = 1.0 - 0.12 * (place % 4)
        colours.append(colorsys.hsv_to_rgb(hue % 1.0, 0.9, value))
    return np.round(np.array(colours) * 255).astype(np.uint8)


BONE_COLOURS: np.ndarray = _bone_colours()
"""(J-1, 3) uint8 RGB colour of each bone."""
