"""The bones every body model is driven by, whatever its own rig has: those of a person that a camera can tell.

The pose all rotations count from is the T pose: upright, looking forward, arms straight to the sides, palms down, legs
straight down. Body axes: x to the person's left, y up, z forward. Legend: B bones.
"""

import numpy as np

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
SIDES = ("left", "right")


def _tree() -> dict[str, str | None]:
    tree: dict[str, str | None] = {"pelvis": None}
    for bone, parent in (
        ("spine_1", "pelvis"),
        ("spine_2", "spine_1"),
        ("spine_3", "spine_2"),
        ("neck", "spine_3"),
        ("head", "neck"),
    ):
        tree[bone] = parent
    for side in SIDES:
        limbs = (("thigh", "shin", "foot", "toes"), ("clavicle", "upper_arm", "lower_arm", "hand"))
        for root, limb in zip(("pelvis", "spine_3"), limbs, strict=True):
            for parent, bone in zip((root, *(f"{side}_{bone}" for bone in limb)), limb, strict=False):
                tree[f"{side}_{bone}"] = parent
    for side in SIDES:
        for finger in FINGERS:
            for number in (1, 2, 3):
                parent = f"{side}_{finger}_{number - 1}" if number > 1 else f"{side}_hand"
                tree[f"{side}_{finger}_{number}"] = parent
    return tree


_TREE = _tree()
BONE_NAMES: tuple[str, ...] = tuple(_TREE)
BONE_COUNT: int = len(BONE_NAMES)
_INDEX = {name: index for index, name in enumerate(BONE_NAMES)}
BONE_PARENTS: np.ndarray = np.array([_INDEX[parent] if parent else -1 for parent in _TREE.values()], dtype=np.int64)
"""(B,) index of each bone's parent, -1 for the pelvis; parents stand before their children."""


def bone_index(name: str) -> int:
    """Index of a bone.

    Raises:
        KeyError: no such bone.
    """
    return _INDEX[name]
