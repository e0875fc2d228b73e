"""What hair a person has: cut, texture, colour, drawn to suit who they are."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from dreamactor_signals.body_models.makehuman.phenotype import Phenotype

from dreamactor_dataset.synthetic.figure.colours import Colour, dark_first

HairStyle = Literal["bald", "cropped", "short", "afro", "bob", "long", "bun", "ponytail"]
HairTexture = Literal["straight", "wavy", "coily"]

# Linear-light reflectances, dark to light.
_HAIR: tuple[Colour, ...] = (
    (0.008, 0.007, 0.006),
    (0.020, 0.013, 0.009),
    (0.050, 0.027, 0.014),
    (0.110, 0.058, 0.026),
    (0.300, 0.190, 0.090),
    (0.160, 0.045, 0.015),
)
_GREY: Colour = (0.420, 0.415, 0.400)
_DYED: tuple[Colour, ...] = (
    (0.45, 0.05, 0.16),
    (0.05, 0.11, 0.38),
    (0.26, 0.06, 0.34),
    (0.55, 0.48, 0.30),
    (0.05, 0.25, 0.20),
)
_DYED_SHARE = 0.05
_STYLES: tuple[HairStyle, ...] = ("bald", "cropped", "short", "afro", "bob", "long", "bun", "ponytail")

_FRINGED: tuple[HairStyle, ...] = ("short", "bob", "long")


@dataclass(frozen=True)
class Hair:
    """Hair of the head and the face.

    Attributes:
        style, texture: its cut and its strands.
        colour: linear light.
        thickness_m: over the scalp.
        length_m: below the ears, for bob and long; of what is tied, for bun and ponytail.
        parting: where it is parted or swept to, from the middle to the person's left, in head radii.
        fringe: 1 where it falls over the forehead, else 0.
        receding, beard: 0 to 1.
    """

    style: HairStyle
    texture: HairTexture
    colour: Colour
    thickness_m: float
    length_m: float
    parting: float
    fringe: float
    receding: float
    beard: float


def draw_hair(random: np.random.Generator, phenotype: Phenotype) -> Hair:
    """Hair that suits a person."""
    male, old = phenotype.gender > 0.5, phenotype.age
    texture = _texture(random, phenotype)
    style = _style(random, male, old, texture)
    fullness = 1.9 if texture == "coily" else 1.0
    thickness = {
        "bald": 0.0,
        "cropped": 0.004,
        "short": random.uniform(0.009, 0.020) * fullness,
        "afro": random.uniform(0.024, 0.045),
        "bob": 0.012 * fullness,
        "long": 0.012,
        "bun": random.uniform(0.006, 0.010),
        "ponytail": random.uniform(0.006, 0.010),
    }
    length = {
        "bob": random.uniform(0.02, 0.09),
        "long": random.uniform(0.14, 0.24),
        "bun": random.uniform(0.05, 0.25),
        "ponytail": random.uniform(0.12, 0.30),
    }
    return Hair(
        style=style,
        texture=texture,
        colour=_colour(random, phenotype),
        thickness_m=float(thickness[style]),
        length_m=float(length.get(style, 0.0)),
        parting=float(random.choice((-0.3, -0.15, 0.0, 0.15, 0.3))),
        fringe=float(random.random() < (0.1 if male else 0.35) and style in _FRINGED and texture != "coily"),
        receding=float(random.random() * old) if male else 0.0,
        beard=float(random.choice((0.0, 0.15, 0.35, 0.8), p=(0.4, 0.25, 0.2, 0.15))) if male else 0.0,
    )


def _style(random: np.random.Generator, male: bool, old: float, texture: HairTexture) -> HairStyle:
    if male:
        odds = np.array((0.10 + 0.15 * old, 0.30, 0.48, 0.0, 0.05, 0.05, 0.03, 0.02))
    else:
        odds = np.array((0.0, 0.04, 0.17, 0.0, 0.28, 0.27, 0.13, 0.11))
    if texture == "coily":
        odds[_STYLES.index("afro")] = 0.25
    return _STYLES[random.choice(len(_STYLES), p=odds / odds.sum())]


def _colour(random: np.random.Generator, phenotype: Phenotype) -> Colour:
    colour = np.array(_HAIR[dark_first(random, len(_HAIR), phenotype.origins[2])])
    if random.random() < _DYED_SHARE:
        colour = np.array(_DYED[random.integers(len(_DYED))])
    # Squared: a few white hairs hardly lighten dark ones.
    grey = np.clip((phenotype.age - 0.45) * 2.4 * random.uniform(0.3, 1.3), 0, 0.97) ** 2
    colour = (1 - grey) * colour + grey * np.array(_GREY)
    return (float(colour[0]), float(colour[1]), float(colour[2]))


def _texture(random: np.random.Generator, phenotype: Phenotype) -> HairTexture:
    textures: tuple[HairTexture, ...] = ("straight", "wavy", "coily")
    african, asian, caucasian = phenotype.origins
    odds = np.array((0.15 * african + 0.85 * asian + 0.5 * caucasian, 0.1 + 0.4 * caucasian, 0.9 * african))
    return textures[random.choice(3, p=odds / odds.sum())]
