"""A skeleton with the same directions and other lengths, built outward from the neck.

The neck is the root, because it is what portraits, half and full bodies all show. A joint whose neighbour towards the
neck is missing in a frame hangs from the nearest one that is there, at its own direction, stretched by the lengths of
the bones between.

Legend: T video frames, J joints, B bones.
"""

import numpy as np
from dreamactor_core.skeleton import JOINT_COUNT, PARENTS, joint_index

NECK, PELVIS = joint_index("neck"), joint_index("pelvis")


def _tree_from_neck() -> list[tuple[int, int, int]]:
    """(joint, its neighbour towards the neck, the bone between), each after its neighbour."""
    # Bone i ends at joint i + 1: the spine is the neck's.
    spine = (PELVIS, NECK, NECK - 1)
    return [spine] + [(j, int(PARENTS[j]), j - 1) for j in range(JOINT_COUNT) if j not in (PELVIS, NECK)]


_TREE = _tree_from_neck()


def rebuild(
    joints_cam_m: np.ndarray,
    present: np.ndarray,
    neck_cam_m: np.ndarray,
    lengths_m: np.ndarray,
    new_neck_cam_m: np.ndarray,
    new_lengths_m: np.ndarray,
    scale: float,
) -> np.ndarray:
    """Give a clip's skeleton new bone lengths and a new neck path.

    Args:
        joints_cam_m: (T, J, 3).
        present: (T, J) bool, which of them have a position.
        neck_cam_m: (T, 3), where the neck is, or would be in frames without one.
        lengths_m: (B,) of the clip's bones.
        new_neck_cam_m: (T, 3).
        new_lengths_m: (B,).
        scale: new size over old, for joints between which no bone is known.

    Returns:
        (T, J, 3) float64, zeros where not present.
    """
    frames = np.arange(len(joints_cam_m))
    old = joints_cam_m.astype(np.float64)
    old[:, NECK] = neck_cam_m
    standing = present.copy()
    standing[:, NECK] = True
    new = np.zeros_like(old)
    new[:, NECK] = new_neck_cam_m
    # Of each joint: the one it hangs from, and how long the bones up to there are.
    holder = np.full(present.shape, NECK)
    reach, new_reach = np.zeros(present.shape), np.zeros(present.shape)
    for joint, neighbour, bone in _TREE:
        held = standing[:, neighbour]
        holder[:, joint] = np.where(held, neighbour, holder[:, neighbour])
        reach[:, joint] = lengths_m[bone] + np.where(held, 0, reach[:, neighbour])
        new_reach[:, joint] = new_lengths_m[bone] + np.where(held, 0, new_reach[:, neighbour])
        offset = old[:, joint] - old[frames, holder[:, joint]]
        # Next to its neighbour a joint takes the bone's new length exactly, whatever the old one was in this frame.
        old_length = np.where(held, np.linalg.norm(offset, axis=1), reach[:, joint])
        stretch = _ratio(new_reach[:, joint], old_length, scale)
        new[:, joint] = new[frames, holder[:, joint]] + offset * stretch[:, None]
    new[~present] = 0
    return new


def _ratio(above: np.ndarray, below: np.ndarray, otherwise: float) -> np.ndarray:
    both = (above > 0) & (below > 0)
    return np.where(both, above / np.where(both, below, 1), otherwise)
