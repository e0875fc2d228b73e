"""From sounds to shapes of the mouth: which viseme an IPA letter shows, and which face units make it.

Legend: U face units, N visemes.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_dataset.synthetic.motion.face import unit_vector


@dataclass(frozen=True)
class Viseme:
    """A shape of the mouth.

    Attributes:
        shape: (U,) face units.
        claim: how firmly the lips insist on it against their neighbours: a closure must be reached, a `k` is made
            behind lips that may do anything.
    """

    shape: np.ndarray
    claim: float


def _viseme(claim: float, **shape: float) -> Viseme:
    return Viseme(unit_vector(shape), claim)


REST = _viseme(1.0)
_CLOSED = _viseme(6.0, mouthPress=0.35, mouthRollLower=0.25, mouthRollUpper=0.2)
_LIP_TO_TEETH = _viseme(4.0, jawOpen=0.06, mouthRollLower=0.45, mouthUpperUp=0.25)
_BETWEEN_TEETH = _viseme(1.5, jawOpen=0.15, mouthLowerDown=0.2, mouthUpperUp=0.1)
_TONGUE = _viseme(1.0, jawOpen=0.14, mouthLowerDown=0.18, mouthShrugUpper=0.08)
_HISS = _viseme(2.0, jawOpen=0.05, mouthStretch=0.25, mouthLowerDown=0.25, mouthUpperUp=0.12)
_HUSH = _viseme(2.5, jawOpen=0.08, mouthFunnel=0.5, mouthPucker=0.15)
_BACK = _viseme(0.5, jawOpen=0.2, mouthLowerDown=0.12)
_ROUND_R = _viseme(1.2, jawOpen=0.14, mouthFunnel=0.3)
_GLIDE_ROUND = _viseme(3.0, jawOpen=0.06, mouthPucker=0.7, mouthFunnel=0.2)
_OPEN = _viseme(2.5, jawOpen=0.6, mouthLowerDown=0.35, mouthUpperUp=0.15)
_HALF_OPEN = _viseme(2.0, jawOpen=0.36, mouthStretch=0.3, mouthLowerDown=0.25, mouthUpperUp=0.15)
_NEUTRAL = _viseme(1.0, jawOpen=0.25, mouthLowerDown=0.15)
_SPREAD = _viseme(2.0, jawOpen=0.16, mouthSmile=0.3, mouthStretch=0.3, mouthUpperUp=0.2)
_ROUND_OPEN = _viseme(2.5, jawOpen=0.38, mouthFunnel=0.6)
_ROUND = _viseme(2.5, jawOpen=0.12, mouthPucker=0.65, mouthFunnel=0.25)
_ROUND_SPREAD = _viseme(2.5, jawOpen=0.14, mouthPucker=0.5, mouthFunnel=0.25)

_LETTERS: dict[str, Viseme] = {
    letter: viseme
    for letters, viseme in (
        ("pbm", _CLOSED),
        ("fvɱʋ", _LIP_TO_TEETH),
        ("θð", _BETWEEN_TEETH),
        ("tdnlɾrʎɲʈɖɫ", _TONGUE),
        ("szʦʣ", _HISS),
        ("ʃʒɕʑʧʤ", _HUSH),
        ("kɡgŋxɣhɦʁχçʔqʀʝ", _BACK),
        ("ɹɻɚɝ", _ROUND_R),
        ("wɥβ", _GLIDE_ROUND),
        ("aɑæʌɐ", _OPEN),
        ("ɛeɜ", _HALF_OPEN),
        ("əɨᵻ", _NEUTRAL),
        ("iɪj", _SPREAD),
        ("oɔɒ", _ROUND_OPEN),
        ("uʊɯ", _ROUND),
        ("yøœʏɵ", _ROUND_SPREAD),
    )
    for letter in letters
}
# What changes a letter's sound but not the lips: stress, length, nasality, ties, syllables.
_MARKS = frozenset("ˈˌːˑ̩̯̃͡ʲʰʷ̪̥̬̝̞̺̻ˠˤ~.-")


def visemes_of(ipa: str) -> list[Viseme]:
    """The shapes of one phoneme in order: two for a diphthong or an affricate; rest for a pause.

    Raises:
        KeyError: a letter that is in no table.
    """
    letters = [letter for letter in ipa if letter not in _MARKS]
    return [_LETTERS[letter] for letter in letters] or [REST]
