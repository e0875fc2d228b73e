"""How long a person's bones are: robust medians over a clip in 3-D, and what stands in for bones never seen.

Legend: T video frames, B bones (`dreamactor_core.skeleton.BONES`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BODY_JOINTS, BONES, LIMB_BONES, MIRROR

from dreamactor_signals.retarget.robust import weighted_median
from dreamactor_signals.visibility import SEEN

# Bone i ends at joint i + 1, so a bone's mirror follows from its joint's.
_MIRROR_BONE = MIRROR[1:] - 1
BODY_BONES = BONES[:, 1] < BODY_JOINTS.stop
"""(B,) True for the bones of the body, False for those of the hands."""


@dataclass(frozen=True)
class BoneLengths:
    """The bones of one person.

    Attributes:
        metres: (B,) float64; 0 where nothing is known.
        confidence: (B,) float64, of the best frame.
    """

    metres: np.ndarray
    confidence: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """(B,) bool: seen well enough to be compared."""
        return (self.confidence >= SEEN) & (self.metres > 0)


def measure_bones(track: MotionTrack) -> BoneLengths:
    """Confidence-weighted median over the clip of each bone's length in space."""
    parents, children = BONES.T
    joints_cam_m = track.joints_cam_m.astype(np.float64)
    lengths_TB = np.linalg.norm(joints_cam_m[:, children] - joints_cam_m[:, parents], axis=2)
    weights_TB = np.minimum(track.joint_confidence[:, parents], track.joint_confidence[:, children])
    # Frames in which the bone is well seen decide alone, if there are any.
    well_seen_TB = weights_TB >= SEEN
    weights_TB = np.where(well_seen_TB.any(axis=0), weights_TB * well_seen_TB, weights_TB)
    return BoneLengths(weighted_median(lengths_TB, weights_TB), weights_TB.max(axis=0).astype(np.float64))


def size_ratio(target: BoneLengths, source: BoneLengths, bones: np.ndarray) -> float | None:
    """How much larger the target is: the weighted median ratio of bones known in both.

    Args:
        bones: (B,) bool, those to compare.

    Returns:
        None if no such bone is known in both.
    """
    both = np.flatnonzero(bones & target.known & source.known)
    if len(both) == 0:
        return None
    ratios = target.metres[both] / source.metres[both]
    weights = np.minimum(target.confidence[both], source.confidence[both])
    return float(weighted_median(ratios, weights))


def complete(lengths: BoneLengths, other: BoneLengths, scale: float) -> np.ndarray:
    """Lengths of all bones, with a stand-in for each that was not seen.

    First the same bone of the person's other side; then the other person's bone times the size ratio of the two: of
    the hands for a finger, of the body for the rest, and `scale` where neither side has any to compare.

    Args:
        lengths: of this person.
        other: of the other.
        scale: this person's size over the other's.

    Returns:
        (B,) float64; 0 only for bones that nobody shows.
    """
    mirrored, other_mirrored = _mirrored(lengths), _mirrored(other)
    metres, known = mirrored.metres.copy(), mirrored.known
    for group in (BODY_BONES, ~BODY_BONES):
        ratio = size_ratio(mirrored, other_mirrored, group) or scale
        borrowed = group & ~known & (other_mirrored.metres > 0)
        metres[borrowed] = other_mirrored.metres[borrowed] * ratio
    return metres


def better_known(lengths: BoneLengths, at_rest: BoneLengths) -> BoneLengths:
    """Lengths measured at rest, where they are known, at the size that the person has here."""
    ratio = size_ratio(lengths, at_rest, np.ones_like(BODY_BONES)) or 1.0
    known = at_rest.known
    return BoneLengths(
        np.where(known, at_rest.metres * ratio, lengths.metres), np.where(known, at_rest.confidence, lengths.confidence)
    )


def bone_factors(factors: Mapping[str, float]) -> np.ndarray:
    """(B,) what a user's factors by limb (`LIMB_BONES`) make of every bone; names of several limbs multiply."""
    of_bones = np.ones(len(BODY_BONES))
    for name, factor in factors.items():
        if name in LIMB_BONES:
            of_bones[LIMB_BONES[name]] *= factor
    return of_bones


def _mirrored(lengths: BoneLengths) -> BoneLengths:
    """With unseen bones taken from the other side, where that is seen."""
    borrowed = ~lengths.known & lengths.known[_MIRROR_BONE]
    return BoneLengths(
        np.where(borrowed, lengths.metres[_MIRROR_BONE], lengths.metres),
        np.where(borrowed, lengths.confidence[_MIRROR_BONE], lengths.confidence),
    )
