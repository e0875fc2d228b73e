"""Expressions as people make them, independent of who shows them: muscles that pull together for a feeling, shapes of
speech, lids and gaze, and now and then a single muscle by itself.

Legend: U face units.
"""

import itertools

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS, mirrored_units

from dreamactor_dataset.synthetic.faces.feelings import FEELINGS
from dreamactor_dataset.synthetic.motion.face import VISEMES, unit_vector


def _whole(name: str) -> str:
    """A pair of muscles by the name without a side; a shift to one side has no pair."""
    pair = name.removesuffix("Left").removesuffix("Right")
    return name if pair in ("jaw", "mouth") else pair


_MOUTH = np.array([name.startswith(("mouth", "jaw", "cheekPuff")) for name in ARKIT_UNITS])
_LEFT = np.array([name.endswith("Left") for name in ARKIT_UNITS])
_OTHER_SIDE = np.array(mirrored_units())
# Gaze has both eyes' units at once and is drawn by itself.
_MUSCLES = sorted({_whole(name) for name in ARKIT_UNITS if name != "_neutral" and not name.startswith("eyeLook")})
# How often: a feeling, speech, a blink, a look to somewhere else, a muscle by itself, one side doing less.
_FEELS, _SPEAKS, _BLINKS, _LOOKS, _TWITCHES, _LOPSIDED = 0.85, 0.45, 0.15, 0.75, 0.3, 0.25
_LEAST, _MOST = 0.25, 1.0
# Nobody's muscles do quite the same: each unit's strength is off by up to this share.
_OWN_WAY = 0.15
# A mouth that speaks has this much of itself left for a feeling.
_LEFT_BY_SPEECH = 0.5
_GAZE_SPREAD = (0.4, 0.3)
# Upper lids go with the eyes.
_LIDS_DOWN, _LIDS_UP = 0.4, 0.25
# What cannot be at once; the weaker gives way. A name without a side means each side, against that side of the other or
# against the whole mouth.
_ANTAGONISTS = (
    ("mouthSmile", "mouthFrown"),
    ("mouthPucker", "mouthStretch"),
    ("mouthPucker", "mouthSmile"),
    ("eyeWide", "eyeBlink"),
    ("eyeWide", "eyeSquint"),
    ("cheekPuff", "jawOpen"),
    ("jawLeft", "jawRight"),
    ("mouthLeft", "mouthRight"),
)


def draw_expression(random: np.random.Generator) -> np.ndarray:
    """(U,) float32 in [0, 1]: what a face does at one moment."""
    # Everything is drawn whether used or not, so that one part does not shift the numbers of the next.
    feeling = _one_of(FEELINGS, random) * _happens(_FEELS, random)
    speech = _one_of(VISEMES, random) * _happens(_SPEAKS, random)
    if speech.any():
        feeling[_MOUTH] *= _LEFT_BY_SPEECH
    units = (feeling + speech) * random.uniform(1 - _OWN_WAY, 1 + _OWN_WAY, size=len(ARKIT_UNITS))
    left_share, is_lopsided = random.uniform(0.0, 0.8), _happens(_LOPSIDED, random)
    units *= np.where(_LEFT & is_lopsided, left_share, 1)
    units = np.maximum(units, _gaze(random))
    units = np.maximum(units, unit_vector({"eyeBlink": random.uniform(_LEAST, _MOST)}) * _happens(_BLINKS, random))
    alone = unit_vector({_MUSCLES[random.integers(len(_MUSCLES))]: random.uniform(_LEAST, _MOST)})
    units = np.maximum(units, alone * _happens(_TWITCHES, random))
    if _happens(0.5, random):
        units = units[_OTHER_SIDE]
    return np.clip(_settled(units), 0, 1).astype(np.float32)


def _one_of(shapes: tuple[dict[str, float], ...], random: np.random.Generator) -> np.ndarray:
    return unit_vector(shapes[random.integers(len(shapes))]) * random.uniform(_LEAST, _MOST)


def _happens(odds: float, random: np.random.Generator) -> bool:
    return bool(random.random() < odds)


def _gaze(random: np.random.Generator) -> np.ndarray:
    """Both eyes on one point, and the upper lids with them."""
    left, up = np.clip(random.normal(0, _GAZE_SPREAD), -1, 1) * _happens(_LOOKS, random)
    across = {"eyeLookOutLeft": left, "eyeLookInRight": left, "eyeLookOutRight": -left, "eyeLookInLeft": -left}
    along = {"eyeLookUp": up, "eyeWide": _LIDS_UP * up, "eyeLookDown": -up, "eyeBlink": -_LIDS_DOWN * up}
    return np.clip(unit_vector(across | along), 0, 1)


def _settled(units: np.ndarray) -> np.ndarray:
    """Of two that pull against each other the stronger stays."""
    settled = units.copy()
    for one, other in _OPPOSED:
        settled[one if units[one] < units[other] else other] = 0
    return settled


def _opposed() -> tuple[tuple[int, int], ...]:
    """Units that are antagonists, side by side; what has no sides is opposed to both."""
    pairs: list[tuple[int, int]] = []
    for names in _ANTAGONISTS:
        ones, others = (np.flatnonzero(unit_vector({name: 1.0})).tolist() for name in names)
        pairs += zip(ones, others, strict=True) if len(ones) == len(others) else itertools.product(ones, others)
    return tuple(pairs)


_OPPOSED = _opposed()
