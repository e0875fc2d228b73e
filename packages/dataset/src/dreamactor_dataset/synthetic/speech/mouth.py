"""Phonemes with their times become a mouth that speaks: face units per frame, each sound coloured by its neighbours.

A frame's shape is the mean of all sounds' shapes, weighted by how firmly each claims the lips and how near it is in
time (dominance functions). Rounding reaches further than the jaw does: lips are round before the round vowel sounds.

Legend: T video frames, P shapes in order of time, U face units.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS

from dreamactor_dataset.synthetic.speech.espeak import Phoneme
from dreamactor_dataset.synthetic.speech.visemes import REST, Viseme, visemes_of

# Lips are in place before their sound is heard.
_LEAD_S = 0.02
_REACH_S, _ROUND_REACH_S = 0.025, 0.055
# Reach of a shape beyond that, as a share of its duration.
_REACH_SHARE = 0.25
_REST_S = 0.3
_ROUND = np.array([unit in ("mouthPucker", "mouthFunnel") for unit in ARKIT_UNITS])


def speaking_units(phonemes: Sequence[Phoneme], end_s: float, fps: Fraction, frame_count: int) -> np.ndarray:
    """(T, U) float32 face units, sampled in the middle of each frame; at rest before and after.

    Args:
        phonemes: in order of time.
        end_s: when the last one ends.
    """
    times_s = (np.arange(frame_count) + 0.5) / float(fps)
    visemes, middles_s, lengths_s = _timeline(phonemes, end_s)
    shapes_PU = np.stack([viseme.shape for viseme in visemes])
    claims_P = np.log([viseme.claim for viseme in visemes])
    away_TP = times_s[:, None] - middles_s
    units = np.empty((frame_count, len(ARKIT_UNITS)))
    for chosen, reach_s in ((~_ROUND, _REACH_S), (_ROUND, _ROUND_REACH_S)):
        logits_TP = claims_P - 0.5 * (away_TP / (reach_s + _REACH_SHARE * lengths_s)) ** 2
        weights_TP = np.exp(logits_TP - logits_TP.max(axis=1, keepdims=True))
        weights_TP /= weights_TP.sum(axis=1, keepdims=True)
        units[:, chosen] = weights_TP @ shapes_PU[:, chosen]
    return units.astype(np.float32)


def _timeline(phonemes: Sequence[Phoneme], end_s: float) -> tuple[list[Viseme], np.ndarray, np.ndarray]:
    """Shapes, the middle of each in seconds, and how long each lasts; rest on both sides."""
    visemes, spans = [REST], [(phonemes[0].start_s - _REST_S, phonemes[0].start_s)]
    ends = [after.start_s for _, after in pairwise(phonemes)] + [end_s]
    for phoneme, end in zip(phonemes, ends, strict=True):
        parts = visemes_of(phoneme.ipa)
        edges = np.linspace(phoneme.start_s, max(end, phoneme.start_s), len(parts) + 1)
        visemes += parts
        spans += list(pairwise(edges.tolist()))
    visemes.append(REST)
    spans.append((end_s, end_s + _REST_S))
    starts_s, ends_s = np.array(spans).T
    return visemes, (starts_s + ends_s) / 2 - _LEAD_S, ends_s - starts_s
