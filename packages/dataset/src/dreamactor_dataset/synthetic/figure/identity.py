"""Who a synthetic person is: shape, colours, hair and clothes, all drawn from one seed."""

import colorsys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from dreamactor_signals.body_models.makehuman.phenotype import Phenotype
from dreamactor_signals.body_models.makehuman.targets import face_details

HairStyle = Literal["bald", "cropped", "short", "bob", "long"]
HairTexture = Literal["straight", "wavy", "coily"]
Sleeves = Literal["short", "long"]
Neckline = Literal["crew", "vee", "scoop", "high"]
Bottom = Literal["trousers", "shorts", "skirt"]
Colour = tuple[float, float, float]

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
_HAIR: tuple[Colour, ...] = (
    (0.008, 0.007, 0.006),
    (0.020, 0.013, 0.009),
    (0.050, 0.027, 0.014),
    (0.110, 0.058, 0.026),
    (0.300, 0.190, 0.090),
    (0.160, 0.045, 0.015),
)
_GREY: Colour = (0.420, 0.415, 0.400)


@dataclass(frozen=True)
class Hair:
    """Hair of the head and the face.

    Attributes:
        style, texture: its cut and its strands.
        colour: linear light.
        thickness_m: over the scalp.
        length_m: below the ears, for bob and long.
        receding, beard: 0 to 1.
    """

    style: HairStyle
    texture: HairTexture
    colour: Colour
    thickness_m: float
    length_m: float
    receding: float
    beard: float


@dataclass(frozen=True)
class Cloth:
    """A fabric.

    Attributes:
        colour, second: linear light.
        pattern: 0 plain, 1 stripes, 2 checks, 3 melange.
        scale: of the pattern, in 1/dm.
    """

    colour: Colour
    second: Colour
    pattern: int
    scale: float


@dataclass(frozen=True)
class Clothes:
    """What a person wears. `jacket` is an open layer over the top, or None."""

    top: Cloth
    sleeves: Sleeves
    neckline: Neckline
    bottom: Cloth
    bottom_kind: Bottom
    shoes: Cloth
    jacket: Cloth | None


@dataclass(frozen=True)
class Identity:
    """A person.

    Attributes:
        name: unique by seed and number.
        seed: of everything that is drawn later for this person (skin grain, strands).
        skin: colour, linear light.
        iris: colour, linear light.
        lip_tint: how much redder than the skin the lips are, 0 to 1.
    """

    name: str
    seed: int
    phenotype: Phenotype
    skin: Colour
    iris: Colour
    lip_tint: float
    hair: Hair
    clothes: Clothes


def make_identity(seed: int, number: int) -> Identity:
    """The `number`-th person of a seed; equal arguments give an equal person."""
    random = np.random.default_rng([seed, number, 1])
    phenotype = _phenotype(random)
    depth = float(np.dot(phenotype.origins, [random.uniform(*span) for span in _SKIN_BY_ORIGIN]))
    skin = _along(_SKIN_RAMP, depth)
    warmth = 1 + 0.05 * random.standard_normal(3)
    return Identity(
        name=f"person-{seed:04d}-{number:04d}",
        seed=int(random.integers(2**31)),
        phenotype=phenotype,
        skin=(skin[0] * warmth[0], skin[1] * warmth[1], skin[2] * warmth[2]),
        iris=_IRIS[_dark_first(random, len(_IRIS), phenotype.origins[2])],
        lip_tint=float(random.uniform(0.2, 0.6) + 0.35 * (1 - phenotype.gender) * random.random()),
        hair=_hair(random, phenotype),
        clothes=_clothes(random, phenotype),
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


def _hair(random: np.random.Generator, phenotype: Phenotype) -> Hair:
    male, old = phenotype.gender > 0.5, phenotype.age
    styles: tuple[HairStyle, ...] = ("bald", "cropped", "short", "bob", "long")
    odds = np.array((0.10 + 0.15 * old, 0.32, 0.48, 0.06, 0.04) if male else (0.0, 0.05, 0.20, 0.40, 0.35))
    style = styles[random.choice(len(styles), p=odds / odds.sum())]
    colour = np.array(_HAIR[_dark_first(random, len(_HAIR), phenotype.origins[2])])
    # Squared: a few white hairs hardly lighten dark ones.
    grey = np.clip((old - 0.45) * 2.4 * random.uniform(0.3, 1.3), 0, 0.97) ** 2
    colour = (1 - grey) * colour + grey * np.array(_GREY)
    texture = _hair_texture(random, phenotype)
    fullness = 1.9 if texture == "coily" else 1.0
    thickness = {
        "bald": 0.0,
        "cropped": 0.004,
        "short": random.uniform(0.009, 0.020) * fullness,
        "bob": 0.012 * fullness,
        "long": 0.012,
    }
    length = {"bob": random.uniform(0.02, 0.09), "long": random.uniform(0.14, 0.24)}
    return Hair(
        style=style,
        texture=texture,
        colour=(float(colour[0]), float(colour[1]), float(colour[2])),
        thickness_m=float(thickness[style]),
        length_m=float(length.get(style, 0.0)),
        receding=float(random.random() * old) if male else 0.0,
        beard=float(random.choice((0.0, 0.15, 0.35, 0.8), p=(0.4, 0.25, 0.2, 0.15))) if male else 0.0,
    )


def _hair_texture(random: np.random.Generator, phenotype: Phenotype) -> HairTexture:
    textures: tuple[HairTexture, ...] = ("straight", "wavy", "coily")
    african, asian, caucasian = phenotype.origins
    odds = np.array((0.15 * african + 0.85 * asian + 0.5 * caucasian, 0.1 + 0.4 * caucasian, 0.9 * african))
    return textures[random.choice(3, p=odds / odds.sum())]


def _clothes(random: np.random.Generator, phenotype: Phenotype) -> Clothes:
    male = phenotype.gender > 0.5
    bottoms: tuple[Bottom, ...] = ("trousers", "shorts", "skirt")
    sleeves: tuple[Sleeves, ...] = ("short", "long")
    necklines: tuple[Neckline, ...] = ("crew", "vee", "scoop", "high")
    return Clothes(
        top=_cloth(random, patterned=0.5),
        sleeves=sleeves[random.choice(2, p=(0.45, 0.55))],
        neckline=necklines[random.choice(4, p=(0.5, 0.2, 0.1, 0.2) if male else (0.3, 0.25, 0.3, 0.15))],
        bottom=_cloth(random, patterned=0.15, dark=True),
        bottom_kind=bottoms[random.choice(3, p=(0.85, 0.15, 0.0) if male else (0.6, 0.12, 0.28))],
        shoes=_cloth(random, patterned=0.0, dark=True),
        jacket=_cloth(random, patterned=0.15, dark=True) if random.random() < 0.3 else None,
    )


def _cloth(random: np.random.Generator, patterned: float, dark: bool = False) -> Cloth:
    def colour() -> Colour:
        value = random.uniform(0.08, 0.5) if dark else random.uniform(0.25, 0.95)
        saturation = random.beta(1.2, 2.2)
        red, green, blue = colorsys.hsv_to_rgb(random.random(), saturation, value)
        return (red**2.2, green**2.2, blue**2.2)

    pattern = int(random.integers(1, 4)) if random.random() < patterned else 0
    return Cloth(colour(), colour(), pattern, float(random.uniform(2.0, 7.0)))


def _along(ramp: tuple[Colour, ...], place: float) -> Colour:
    grid = np.linspace(0, 1, len(ramp))
    red, green, blue = (float(np.interp(place, grid, channel)) for channel in zip(*ramp, strict=True))
    return (red, green, blue)


def _dark_first(random: np.random.Generator, count: int, pale: float) -> int:
    """An index into a list that runs from dark to light: light ones only where `pale` is high."""
    return int(min(count - 1, random.random() ** (2.2 - 1.8 * pale) * count * (0.25 + 0.75 * pale)))
