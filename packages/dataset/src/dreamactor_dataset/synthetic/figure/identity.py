"""Who a synthetic person is: shape, colours, hair and clothes, all drawn from one seed."""

from dataclasses import dataclass

import numpy as np
from dreamactor_signals.body_models.makehuman.phenotype import Phenotype
from dreamactor_signals.body_models.makehuman.targets import face_details

from dreamactor_dataset.synthetic.figure.clothes.outfit import Clothes, draw_clothes
from dreamactor_dataset.synthetic.figure.colours import Colour, along, dark_first
from dreamactor_dataset.synthetic.figure.glasses import Glasses, draw_glasses
from dreamactor_dataset.synthetic.figure.hair.cut import Hair, HairStyle, draw_hair

# Linear-light reflectances. Skin runs along one measured-looking ramp from deep to pale.
_SKIN_RAMP: tuple[Colour, ...] = (
    (0.055, 0.028, 0.018),
    (0.130, 0.066, 0.040),
    (0.260, 0.145, 0.090),
    (0.400, 0.240, 0.165),
    (0.540, 0.350, 0.260),
    (0.620, 0.430, 0.340),
)
_SKIN_BY_ORIGIN = ((0.02, 0.40), (0.50, 0.85), (0.60, 1.0))
_IRIS: tuple[Colour, ...] = (
    (0.060, 0.028, 0.012),
    (0.110, 0.055, 0.022),
    (0.170, 0.100, 0.040),
    (0.110, 0.140, 0.070),
    (0.110, 0.190, 0.270),
    (0.160, 0.220, 0.260),
)
# Styles that fit under a cap.
_FLAT: tuple[HairStyle, ...] = ("bald", "cropped", "short", "bob", "long")


@dataclass(frozen=True)
class Identity:
    """A person.

    Attributes:
        name: unique by seed and number.
        seed: of everything that is drawn later for this person (skin grain, strands).
        skin: colour, linear light.
        iris: colour, linear light.
        lip_tint: how much redder than the skin the lips are, 0 to 1.
        glasses: None for those who wear none.
    """

    name: str
    seed: int
    phenotype: Phenotype
    skin: Colour
    iris: Colour
    lip_tint: float
    hair: Hair
    clothes: Clothes
    glasses: Glasses | None


def make_identity(seed: int, number: int) -> Identity:
    """The `number`-th person of a seed; equal arguments give an equal person."""
    random = np.random.default_rng([seed, number, 1])
    phenotype = _phenotype(random)
    depth = float(np.dot(phenotype.origins, [random.uniform(*span) for span in _SKIN_BY_ORIGIN]))
    skin = along(_SKIN_RAMP, depth)
    hair = draw_hair(random, phenotype)
    warmth = 1 + 0.05 * random.standard_normal(3)
    return Identity(
        name=f"person-{seed:04d}-{number:04d}",
        seed=int(random.integers(2**31)),
        phenotype=phenotype,
        skin=(skin[0] * warmth[0], skin[1] * warmth[1], skin[2] * warmth[2]),
        iris=_IRIS[dark_first(random, len(_IRIS), phenotype.origins[2])],
        lip_tint=float(random.uniform(0.2, 0.6) + 0.35 * (1 - phenotype.gender) * random.random()),
        hair=hair,
        clothes=draw_clothes(random, phenotype, hat=hair.style in _FLAT),
        glasses=draw_glasses(random),
    )


def _phenotype(random: np.random.Generator) -> Phenotype:
    male = random.random() < 0.5
    origins = random.dirichlet((0.45, 0.45, 0.45))
    pairs = face_details()
    chosen = random.choice(len(pairs), size=min(24, len(pairs)), replace=False)
    amounts = np.clip(0.28 * random.standard_normal(len(chosen)), -0.6, 0.6)
    return Phenotype(
        gender=float(random.uniform(0.85, 1.0) if male else random.uniform(0.0, 0.15)),
        age=float(random.beta(1.1, 1.8) * 0.95),
        muscle=float(random.uniform(0.3, 0.75) if male else random.uniform(0.25, 0.6)),
        weight=float(np.clip(0.5 + 0.17 * random.standard_normal(), 0.2, 0.95)),
        height=float(np.clip(0.51 + 0.045 * random.standard_normal(), 0.4, 0.62)),
        proportions=float(random.uniform(0.4, 1.0)),
        cupsize=float(random.uniform(0.25, 0.7)),
        firmness=float(random.uniform(0.4, 0.9)),
        origins=(float(origins[0]), float(origins[1]), float(origins[2])),
        details=tuple((*pairs[pair], float(amount)) for pair, amount in zip(chosen, amounts, strict=True)),
    )
