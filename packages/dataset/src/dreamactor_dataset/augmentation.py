"""Random changes of what drives a sample, never of what it must become.

At inference the bones drawn are those of a reference that the driving person does not share, and the face that drives
is of another colour under another light. Training on a clip's own motion shows neither, unless it is changed.

Legend: T frames, J joints, S side of a crop.
"""

from dataclasses import replace

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, JOINT_NAMES, PARENTS, joint_index

_NECK, _PELVIS = joint_index("neck"), joint_index("pelvis")
_BONES, _COLOURS = 0, 1


def change_bones(track: MotionTrack, deviation: float, seed: int) -> MotionTrack:
    """The same performance by a body of other proportions.

    Both sides of the body change alike, and so do all fingers; the neck stays where it is, and with it the head.

    Args:
        deviation: of the logarithm of each bone's factor; 0 changes nothing.
        seed: equal seeds give equal proportions.
    """
    if deviation == 0:
        return track
    factors = _bone_factors(deviation, np.random.default_rng((seed, _BONES)))
    present = track.joint_confidence > 0
    frames = np.arange(len(track))
    old, new = track.joints_cam_m, track.joints_cam_m.copy()
    # The joint that each one hangs from: its neighbour towards the neck, or the nearest that was seen.
    holder = np.full(present.shape, _NECK)
    outward = [(_PELVIS, _NECK)] + [(j, int(PARENTS[j])) for j in range(JOINT_COUNT) if j not in (_PELVIS, _NECK)]
    for joint, neighbour in outward:
        holder[:, joint] = np.where(present[:, neighbour], neighbour, holder[:, neighbour])
        held = holder[:, joint]
        new[:, joint] = new[frames, held] + (old[:, joint] - old[frames, held]) * factors[joint]
    # Without a neck there is nothing to hang the body from.
    unchanged = ~present | ~present[:, [_NECK]]
    new[unchanged] = old[unchanged]
    return replace(track, joints_cam_m=new)


def _bone_factors(deviation: float, random: np.random.Generator) -> np.ndarray:
    """(J,) the factor of the bone between each joint and its neighbour towards the neck."""
    kinds = [_kind(joint) for joint in range(JOINT_COUNT)]
    drawn = {kind: float(np.exp(random.normal(0, deviation))) for kind in dict.fromkeys(kinds)}
    return np.array([drawn[kind] for kind in kinds], dtype=np.float32)


def _kind(joint: int) -> str:
    name = JOINT_NAMES[joint].removeprefix("left_").removeprefix("right_")
    return "finger" if name[-1].isdigit() else name


def change_colours(crops_TSS3: np.ndarray, deviation: float, seed: int) -> np.ndarray:
    """Face crops under another light: one brightness, contrast and tint for all frames; black ones stay black.

    Args:
        crops_TSS3: (T, S, S, 3) uint8.
        deviation: of each change, as a share; 0 changes nothing.
        seed: equal seeds give equal changes.
    """
    if deviation == 0:
        return crops_TSS3
    random = np.random.default_rng((seed, _COLOURS))
    brightness, contrast = random.normal(0, deviation), np.exp(random.normal(0, deviation))
    tint_3 = np.exp(random.normal(0, deviation / 2, size=3))
    levels_3 = np.arange(256)[:, None] / 255 * tint_3
    table_3 = np.clip(((levels_3 - 0.5) * contrast + 0.5 + brightness) * 255, 0, 255).round().astype(np.uint8)
    changed = np.stack([table_3[crops_TSS3[..., colour], colour] for colour in range(3)], axis=-1)
    changed[~crops_TSS3.any(axis=(1, 2, 3))] = 0
    return changed
