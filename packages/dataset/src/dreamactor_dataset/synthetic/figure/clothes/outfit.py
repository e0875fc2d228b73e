"""What a person wears: kinds of garments, fabrics, colours, drawn to suit who they are."""

import colorsys
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal

import numpy as np
from dreamactor_signals.body_models.makehuman.phenotype import Phenotype

from dreamactor_dataset.synthetic.figure.colours import Colour

Sleeves = Literal["none", "short", "elbow", "long"]
Neckline = Literal["crew", "vee", "scoop", "high"]
Bottom = Literal["trousers", "cropped", "shorts", "skirt"]

_SLEEVES: tuple[Sleeves, ...] = ("none", "short", "elbow", "long")
_NECKLINES: tuple[Neckline, ...] = ("crew", "vee", "scoop", "high")
_BOTTOMS: tuple[Bottom, ...] = ("trousers", "cropped", "shorts", "skirt")


class Pattern(IntEnum):
    """How the second colour of a fabric is used; the shader's table is in this order."""

    PLAIN = 0
    STRIPES = 1
    CHECKS = 2
    MELANGE = 3
    PINSTRIPES = 4
    DOTS = 5
    PRINT = 6
    BLOCK = 7
    RAGLAN = 8
    BUTTONS = 9
    DENIM = 10
    SOLE = 11


_TOP_PATTERNS = (
    Pattern.STRIPES,
    Pattern.CHECKS,
    Pattern.MELANGE,
    Pattern.PINSTRIPES,
    Pattern.DOTS,
    Pattern.PRINT,
    Pattern.BLOCK,
    Pattern.RAGLAN,
    Pattern.BUTTONS,
)
_CAP_SHARE = 0.08
_BOTTOM_PATTERNS = (Pattern.CHECKS, Pattern.MELANGE, Pattern.PINSTRIPES, Pattern.DENIM, Pattern.DENIM, Pattern.DENIM)


@dataclass(frozen=True)
class Cloth:
    """A fabric.

    Attributes:
        colour, second: linear light.
        pattern: what the second colour does.
        scale: of the pattern, in 1/dm.
        ribbed: 0 smooth to 1 knitted.
    """

    colour: Colour
    second: Colour
    pattern: Pattern
    scale: float
    ribbed: float


@dataclass(frozen=True)
class Clothes:
    """What a person wears.

    Attributes:
        loose_m: how far tops and trousers stand off the body where they are loosest.
        skirt_dm: where a skirt ends on the template.
        jacket: an open layer over the top, or None.
        hat: a knitted cap, or None.
    """

    top: Cloth
    sleeves: Sleeves
    neckline: Neckline
    bottom: Cloth
    bottom_kind: Bottom
    shoes: Cloth
    jacket: Cloth | None
    hat: Cloth | None
    loose_m: float
    skirt_dm: float


def draw_clothes(random: np.random.Generator, phenotype: Phenotype, *, hat: bool) -> Clothes:
    """An outfit; one skirt in three is a dress, of one fabric with the top. Some wear a cap, if `hat` allows it."""
    male = phenotype.gender > 0.5
    top = _cloth(random, _TOP_PATTERNS, patterned=0.6, dark=0.25)
    bottom = _cloth(random, _BOTTOM_PATTERNS, patterned=0.5, dark=0.6)
    kind = _BOTTOMS[random.choice(4, p=(0.78, 0.07, 0.15, 0.0) if male else (0.52, 0.08, 0.10, 0.30))]
    if kind == "skirt":
        dress = random.random() < 0.34
        plain = Pattern.PLAIN if bottom.pattern is Pattern.DENIM else bottom.pattern
        bottom = top if dress else replace(bottom, pattern=plain)
    cap = replace(_cloth(random, (Pattern.STRIPES, Pattern.MELANGE), patterned=0.3, dark=0.4), ribbed=1.0)
    return Clothes(
        top=top,
        sleeves=_SLEEVES[random.choice(4, p=(0.04, 0.36, 0.12, 0.48) if male else (0.14, 0.32, 0.14, 0.40))],
        neckline=_NECKLINES[random.choice(4, p=(0.5, 0.2, 0.1, 0.2) if male else (0.3, 0.25, 0.3, 0.15))],
        bottom=bottom,
        bottom_kind=kind,
        shoes=_shoes(random),
        jacket=_cloth(random, _BOTTOM_PATTERNS, patterned=0.3, dark=0.5) if random.random() < 0.28 else None,
        hat=cap if hat and random.random() < _CAP_SHARE else None,
        loose_m=float(random.uniform(0.004, 0.022)),
        skirt_dm=float(random.uniform(-6.2, -2.4)),
    )


def _cloth(random: np.random.Generator, patterns: tuple[Pattern, ...], *, patterned: float, dark: float) -> Cloth:
    pattern = patterns[random.integers(len(patterns))] if random.random() < patterned else Pattern.PLAIN
    colour, second = _colour(random, dark), _colour(random, 0.4)
    if pattern is Pattern.DENIM:
        colour = _shade(0.60 + 0.02 * random.standard_normal(), random.uniform(0.3, 0.7), random.uniform(0.2, 0.6))
        second = _tint(colour, 1.7)
    if pattern is Pattern.MELANGE:
        second = _tint(colour, random.choice((0.55, 1.6)))
    if pattern is Pattern.BUTTONS:
        second = _tint(colour, 0.45)
    return Cloth(colour, second, pattern, float(random.uniform(2.0, 7.0)), float(random.random() ** 2))


def _shoes(random: np.random.Generator) -> Cloth:
    white = _shade(0.1, 0.03, random.uniform(0.8, 0.95))
    cloth = _cloth(random, (Pattern.SOLE,), patterned=1.0, dark=0.6)
    return replace(cloth, second=white if random.random() < 0.5 else _tint(cloth.colour, 0.3), ribbed=0.0)


def _colour(random: np.random.Generator, dark: float) -> Colour:
    """A third each vivid, muted, and nearly grey; any of them may be dark."""
    hue, kind = random.random(), random.integers(3)
    saturation = (random.uniform(0.65, 0.93), random.uniform(0.2, 0.6), random.uniform(0.0, 0.12))[kind]
    light = (random.uniform(0.42, 0.84), random.uniform(0.35, 0.85), random.uniform(0.25, 0.95))[kind]
    return _shade(hue, saturation, random.uniform(0.07, 0.4) if random.random() < dark else light)


def _shade(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return (red**2.2, green**2.2, blue**2.2)


def _tint(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(0.95, channel * factor) for channel in colour)
    return (red, green, blue)
