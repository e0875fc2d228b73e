"""The flat surfaces of a person's body, in the order in which tracks keep how they move."""


def _surfaces() -> tuple[str, ...]:
    limbs = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
    return ("torso", "neck", *(f"{side}_{limb}" for side in ("left", "right") for limb in limbs))


BODY_SURFACES: tuple[str, ...] = _surfaces()
SURFACE_TERMS = 6
"""Of a polynomial of second degree in a surface's two coordinates: 1, s, t, s s, s t, t t."""
