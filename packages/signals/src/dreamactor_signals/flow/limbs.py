"""Limbs that go with their sleeves and trousers: what a tracker says of them, averaged along the picture's own motion.

Elbows and knees are placed anew in every frame, some pixels to one side and then to the other. From one frame to the
next, points on the two bones of an arm or leg are followed; what the tracked bones do not explain of how they went
tells by how much each of the three joints is off.

Legend: T video frames, H W rows and columns, N points, J joints, K = 6 unknowns: shifts x y of a chain's three joints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_NAMES

from dreamactor_signals.flow.agreement import agreed
from dreamactor_signals.flow.path import WIDTH_S, lacking
from dreamactor_signals.flow.points import follow
from dreamactor_signals.flow.shifts import shifted
from dreamactor_signals.warp.flat import Flat
from dreamactor_signals.warp.parts import LIMBS
from dreamactor_signals.warp.placing import Placement

# Limbs are thin: so are the windows, and points lie close.
_WINDOW_PX, _SPACING_PX, _ALIKE_PX = 9, 3.0, 2.0
# What a tracked step of a joint mostly lacks, in radii of its limb.
_USUAL = 0.012
# Points are looked for a little beyond both ends of a bone.
_BEYOND = 0.2


@dataclass(frozen=True)
class Chain:
    """An arm or a leg.

    Attributes:
        bones: names of the two parts.
        joints: where the first begins, where they meet, and where the second ends.
        carried: joints of the hand or foot, which go with the end.
    """

    bones: tuple[str, str]
    joints: tuple[int, int, int]
    carried: tuple[int, ...]


def _chains() -> tuple[Chain, ...]:
    fingers = ("thumb", "index", "middle", "ring", "pinky")
    table = (("upper_arm", "forearm", fingers), ("thigh", "shin", ("heel", "toe")))
    limbs = {limb.name: limb for limb in LIMBS}
    return tuple(
        Chain(
            bones=(f"{side}_{upper}", f"{side}_{lower}"),
            joints=(
                limbs[f"{side}_{upper}"].start,
                limbs[f"{side}_{upper}"].end,
                limbs[f"{side}_{lower}"].end,
            ),
            carried=tuple(
                index
                for index, name in enumerate(JOINT_NAMES)
                if name.startswith(tuple(f"{side}_{one}" for one in hung))
            ),
        )
        for side in ("left", "right")
        for upper, lower, hung in table
    )


CHAINS = _chains()
BONES = frozenset(bone for chain in CHAINS for bone in chain.bones)
"""The parts that are followed."""


def limb_steps(
    before_HW: np.ndarray,
    after_HW: np.ndarray,
    mask_HW: np.ndarray,
    here: Mapping[str, Placement],
    there: Mapping[str, Placement],
) -> list[np.ndarray | None]:
    """What the tracked step from a frame to the next lacks: of every chain (3, 2) pixels by which its joints are off.

    Args:
        before_HW, after_HW: uint8.
        mask_HW: bool, where limbs are seen.
        here, there: all parts in both, in their pixels.

    Returns:
        None where too few points are seen on a chain, or do not agree.
    """
    before_N2, after_N2 = follow(before_HW, after_HW, mask_HW, _WINDOW_PX, _SPACING_PX)
    flat = {name: part for name, part in here.items() if isinstance(part, Flat)}
    if not flat or len(before_N2) == 0:
        return [None] * len(CHAINS)
    nearest_N = np.argmin([part.distance(before_N2) for part in flat.values()], axis=0)
    on = {name: nearest_N == number for number, name in enumerate(flat) if name in there}
    return [_chain_step(chain, before_N2, after_N2, on, here, there) for chain in CHAINS]


def steady_limbs(track: MotionTrack, steps: Sequence[Sequence[np.ndarray | None]]) -> MotionTrack:
    """The track with steadied elbows, wrists, knees and ankles, hands and feet along with them, at the same depths.

    Args:
        track: T frames.
        steps: T - 1, as of `limb_steps`, in pixels of the track.
    """
    shifts_px = np.zeros((*track.joint_confidence.shape, 2))
    for number, chain in enumerate(CHAINS):
        confidence_T3 = track.joint_confidence[:, chain.joints]
        lacks_T32 = lacking([step[number] for step in steps], (3, 2), confidence_T3, WIDTH_S * float(track.fps))
        # Where a chain begins is the trunk's.
        shifts_px[:, chain.joints[1:]] = lacks_T32[:, 1:]
        shifts_px[:, chain.carried] = lacks_T32[:, 2:]
    return shifted(track, shifts_px)


def _chain_step(
    chain: Chain,
    before_N2: np.ndarray,
    after_N2: np.ndarray,
    on: Mapping[str, np.ndarray],
    here: Mapping[str, Placement],
    there: Mapping[str, Placement],
) -> np.ndarray | None:
    rows, moved = [np.zeros((0, 2, 6))], [np.zeros((0, 2))]
    radii_px = []
    for first, bone in enumerate(chain.bones):
        start, end = here.get(bone), there.get(bone)
        if isinstance(start, Flat) and isinstance(end, Flat):
            along_N, expected_N2 = _carried(before_N2[on[bone]], start, end)
            rows.append(_rows(along_N, first))
            moved.append(after_N2[on[bone]] - expected_N2)
            radii_px.append(start.radius_px)
    if not radii_px:
        return None
    solved_K = agreed(np.concatenate(rows), np.concatenate(moved), np.full(6, _USUAL * radii_px[0]), _ALIKE_PX)
    return None if solved_K is None else solved_K.reshape(3, 2)


def _carried(points_N2: np.ndarray, start: Flat, end: Flat) -> tuple[np.ndarray, np.ndarray]:
    """(N,) how far along a bone points lie, and (N, 2) where the bone carries them."""
    points_N3 = np.column_stack([points_N2, np.ones(len(points_N2))])
    own_N3 = points_N3 @ np.linalg.inv(start.matrix()).T
    return own_N3[:, 0].clip(-_BEYOND, 1 + _BEYOND), (own_N3 @ end.matrix().T)[:, :2]


def _rows(along_N: np.ndarray, first: int) -> np.ndarray:
    """(N, 2, K) how far each unknown moves points of the bone that begins at the chain's joint `first`."""
    shares_N3 = np.zeros((len(along_N), 3))
    shares_N3[:, first], shares_N3[:, first + 1] = 1 - along_N, along_N
    return np.einsum("nj,ab->najb", shares_N3, np.eye(2)).reshape(-1, 2, 6)
