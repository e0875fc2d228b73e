"""Faces: talking, blinking, glancing, and expressions that come and go, as curves of ARKit units.

Legend: T frames (25 a second), U face units.
"""

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS

from dreamactor_dataset.synthetic.motion.curves import bump, moves, wander
from dreamactor_dataset.synthetic.motion.performance import Performance

_UNIT = {name: index for index, name in enumerate(ARKIT_UNITS)}
_PAIRED = tuple(name[:-4] for name in ARKIT_UNITS if name.endswith("Left") and name[:-4] + "Right" in _UNIT)

# Shapes of the mouth in speech, open vowels to closed consonants.
VISEMES: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.55, "mouthLowerDown": 0.35, "mouthUpperUp": 0.15},
    {"jawOpen": 0.32, "mouthStretch": 0.35, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15},
    {"jawOpen": 0.18, "mouthSmile": 0.30, "mouthStretch": 0.30, "mouthUpperUp": 0.20},
    {"jawOpen": 0.30, "mouthFunnel": 0.65},
    {"jawOpen": 0.12, "mouthPucker": 0.70, "mouthFunnel": 0.25},
    {"mouthPress": 0.35, "mouthRollLower": 0.25, "mouthRollUpper": 0.20},
    {"jawOpen": 0.08, "mouthRollLower": 0.45, "mouthUpperUp": 0.25},
    {"jawOpen": 0.15, "mouthShrugUpper": 0.20, "mouthLowerDown": 0.20},
)
_EXPRESSIONS: tuple[dict[str, float], ...] = (
    {"mouthSmile": 0.85, "cheekSquint": 0.6, "eyeSquint": 0.3, "mouthDimple": 0.3},
    {"browInnerUp": 0.7, "browOuterUp": 0.7, "eyeWide": 0.6, "jawOpen": 0.25},
    {"browDown": 0.8, "eyeSquint": 0.4, "noseSneer": 0.4, "mouthPress": 0.3},
    {"mouthFrown": 0.7, "browInnerUp": 0.6, "mouthShrugLower": 0.4},
    {"mouthPucker": 0.6, "browOuterUp": 0.3},
    {"mouthLeft": 0.5, "mouthSmileLeft": 0.5},
    {"cheekPuff": 0.6, "mouthPress": 0.5},
    {},
)


def unit_vector(shape: dict[str, float]) -> np.ndarray:
    """(U,) of named units; a name without a side sets both."""
    vector = np.zeros(len(ARKIT_UNITS))
    for name, value in shape.items():
        for unit in (name + "Left", name + "Right") if name in _PAIRED else (name,):
            vector[_UNIT[unit]] = value
    return vector


def talk(performance: Performance, random: np.random.Generator, strength: float) -> None:
    """Speech: a viseme every two to five frames with pauses, louder and softer."""
    order = random.integers(len(VISEMES), size=64)
    targets = np.stack([unit_vector(VISEMES[number]) for number in order]) * random.uniform(0.55, 1.15, size=(64, 1))
    mouth = moves(random, targets, performance.frame_count, travel=(2, 4), hold=(0, 1))
    loudness = np.clip(0.85 + wander(random, performance.frame_count, 40, 0.35), 0, 1.2)[:, None]
    _add(performance, strength * loudness * mouth)


def express(performance: Performance, random: np.random.Generator, strength: float) -> None:
    """Expressions that come, stay and change, and brows that underline."""
    order = random.permutation(len(_EXPRESSIONS))
    targets = np.stack([unit_vector(_EXPRESSIONS[number]) for number in order]) * random.uniform(0.5, 1.1)
    _add(performance, strength * moves(random, targets, performance.frame_count, travel=(7, 14), hold=(6, 22)))
    lift = np.clip(wander(random, performance.frame_count, 30, 0.25), 0, 1)[:, None]
    _add(performance, strength * lift * unit_vector({"browInnerUp": 0.7, "browOuterUp": 0.6}))


def blink(performance: Performance, random: np.random.Generator) -> None:
    """Blinks of about a fifth of a second, every two seconds or so."""
    at = random.uniform(-10, 25)
    lids = np.zeros(performance.frame_count)
    while at < performance.frame_count:
        lids = np.maximum(lids, bump(performance.frame_count, at, rise=2.2, fall=3.4))
        at += random.uniform(18, 75)
    _add(performance, lids[:, None] * unit_vector({"eyeBlink": 1.0}))


def glance(performance: Performance, random: np.random.Generator) -> None:
    """Eyes that jump from one point to another, mostly near straight ahead."""
    points = np.clip(random.normal(0, (0.28, 0.16), size=(24, 2)), -0.8, 0.8)
    points[::2] *= 0.2
    left, up = moves(random, points, performance.frame_count, travel=(1, 2), hold=(6, 30)).T
    for amount, unit in (
        (left, "eyeLookOutLeft"),
        (left, "eyeLookInRight"),
        (-left, "eyeLookInLeft"),
        (-left, "eyeLookOutRight"),
        (up, "eyeLookUpLeft"),
        (up, "eyeLookUpRight"),
        (-up, "eyeLookDownLeft"),
        (-up, "eyeLookDownRight"),
    ):
        _add(performance, np.clip(amount, 0, 1)[:, None] * unit_vector({unit: 1.0}))


def _add(performance: Performance, units: np.ndarray) -> None:
    performance.units = np.clip(performance.units + units, 0, 1)
