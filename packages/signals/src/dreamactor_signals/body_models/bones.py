"""The bones every body model is driven by, whatever its own rig has: those of a person that a camera can tell.

The pose all rotations count from is the T pose: upright, looking forward, arms straight to the sides, palms down, legs
straight down. Body axes: x to the person's left, y up, z forward. Legend: B bones.
"""

import numpy as np

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
SIDES = ("left", "right")


def _chain(root: str, *bones: str) -> dict[str, str | None]:
    """Each bone on the one before."""
    return dict(zip(bones, (root, *bones), strict=False))


def _tree() -> dict[str, str | None]:
    tree: dict[str, str | None] = {"pelvis": None}
    tree |= _chain("pelvis", "spine_1", "spine_2", "spine_3", "neck", "head")
    for side in SIDES:
        tree |= _chain("pelvis", *(f"{side}_{bone}" for bone in ("thigh", "shin", "foot", "toes")))
        tree |= _chain("spine_3", *(f"{side}_{bone}" for bone in ("clavicle", "upper_arm", "lower_arm", "hand")))
    for side in SIDES:
        for finger in FINGERS:
            tree |= _chain(f"{side}_hand", *(f"{side}_{finger}_{number}" for number in (1, 2, 3)))
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
