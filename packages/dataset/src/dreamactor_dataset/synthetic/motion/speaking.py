"""Speaking: a voice, and the lips and the mood that belong to it.

Legend: T frames, S samples.
"""

from fractions import Fraction

import numpy as np
from dreamactor_signals.speech.recording import RATE_HZ

from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.speech.utterances import FPS, Part, speak_utterances

# Sentences at a time: one is rarely shorter than a second and a half.
_SENTENCE_S = 1.5


def say(performance: Performance, random: np.random.Generator, part: Part) -> None:
    """Speak without end, starting anywhere in a sentence.

    Raises:
        InputError: espeak-ng is not installed.
    """
    count, seed = performance.frame_count, int(random.integers(2**31))
    first = int(random.integers(1000))
    sentences = range(first, first + 1 + int(np.ceil(count / float(FPS) / _SENTENCE_S)))
    said = speak_utterances(sentences, seed=seed, part=part)
    # Each utterance fills its last frame, so that lips and voice stay together over sentences.
    voice = np.concatenate([_filled(one.samples, len(one.units)) for one in said])
    units = np.concatenate([one.units for one in said])
    latest = min(len(said[0].units) // 2, len(units) - count)
    start = int(random.integers(max(latest, 0) + 1))
    units, voice = units[start : start + count], voice[_sample(start) : _sample(start + count)]
    performance.units = np.clip(performance.units + _to_length(units, count), 0, 1)
    performance.voice = _to_length(voice, _sample(count)).astype(np.float32)


def _sample(frame: int) -> int:
    return round(Fraction(frame * RATE_HZ) / FPS)


def _filled(samples: np.ndarray, frames: int) -> np.ndarray:
    return _to_length(samples, _sample(frames))


def _to_length(values: np.ndarray, length: int) -> np.ndarray:
    """Cut, or followed by silence."""
    missing = max(length - len(values), 0)
    return np.pad(values, [(0, missing), *[(0, 0)] * (values.ndim - 1)])[:length]
