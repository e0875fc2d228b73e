"""What a person is cut into: a torso, a neck, a head, and limbs between two joints."""

from dataclasses import dataclass

from dreamactor_core.skeleton import joint_index

TORSO, NECK, HEAD = "torso", "neck", "head"
TRUNK = frozenset({TORSO, NECK, HEAD})


@dataclass(frozen=True)
class Limb:
    """A limb: its bone and how thick it is, clothes included."""

    name: str
    start: int
    end: int
    radius_m: float


def _limbs() -> tuple[Limb, ...]:
    table = (
        ("upper_arm", "shoulder", "elbow", 0.07),
        ("forearm", "elbow", "wrist", 0.05),
        ("hand", "wrist", "middle_3", 0.045),
        ("thigh", "hip", "knee", 0.11),
        ("shin", "knee", "ankle", 0.08),
        ("foot", "ankle", "toe", 0.06),
    )
    return tuple(
        Limb(f"{side}_{name}", joint_index(f"{side}_{start}"), joint_index(f"{side}_{end}"), radius_m)
        for side in ("left", "right")
        for name, start, end, radius_m in table
    )


LIMBS = _limbs()
TORSO_RADIUS_M = 0.08
"""How far clothes stand off the rectangle of shoulders and hips."""
NECK_RADIUS_M = 0.06
HEAD_REACH = 1.3
"""Hair and jaw, in radii of the skull."""
_CHAIN = {"forearm": "upper_arm", "hand": "forearm", "shin": "thigh", "foot": "shin"}


def _neighbours() -> dict[str, frozenset[str]]:
    pairs = {(TORSO, NECK), (NECK, HEAD)}
    for side in ("left", "right"):
        pairs |= {(TORSO, f"{side}_upper_arm"), (TORSO, f"{side}_thigh")}
        pairs |= {(f"{side}_{one}", f"{side}_{other}") for one, other in _CHAIN.items()}
    names = {name for pair in pairs for name in pair}
    return {
        name: frozenset(other for pair in pairs if name in pair for other in pair if other != name) for name in names
    }


NEIGHBOURS = _neighbours()
"""Of each part, those that it shares a joint with."""
