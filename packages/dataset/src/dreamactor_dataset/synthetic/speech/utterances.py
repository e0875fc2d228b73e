"""Utterances: which sentence in which voice and mood, and all that is true of it. A pure function of seed and number.

Legend: S samples, T video frames, U face units.
"""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from dreamactor_core.files import atomic_path
from dreamactor_signals.speech.recording import RATE_HZ, resample

from dreamactor_dataset.synthetic.motion.face import unit_vector
from dreamactor_dataset.synthetic.speech.espeak import Phoneme, Spoken, Voice, speak
from dreamactor_dataset.synthetic.speech.mouth import speaking_units
from dreamactor_dataset.synthetic.speech.sentences import HELD_OUT, TRAINED, VALIDATED

FPS = Fraction(25)
# Changes whenever equal arguments give other samples or another truth.
VERSION = "2"
Part = Literal["train", "val", "test"]

# espeak-ng's variants: neither sentences nor voices of one part are heard in another.
_VARIANTS: dict[Part, tuple[str, ...]] = {
    "train": ("", "+f1", "+f2", "+f4", "+m1", "+m2", "+m3", "+m5", "+m7"),
    "val": ("+m8", "+klatt2", "+klatt4"),
    "test": ("+f3", "+f5", "+m4", "+m6"),
}
# What a face does while it speaks; nothing here needs the lips for itself.
_MOODS: tuple[dict[str, float], ...] = (
    {},
    {"mouthSmile": 0.7, "cheekSquint": 0.5, "eyeSquint": 0.2},
    {"browInnerUp": 0.7, "browOuterUp": 0.7, "eyeWide": 0.4},
    {"browDown": 0.8, "eyeSquint": 0.4, "noseSneer": 0.3},
    {"mouthFrown": 0.6, "browInnerUp": 0.6},
)
_MIXED_SHARE, _MIXED_WORDS = 0.6, 8
_LONGEST_SILENCE_S = 0.6
_NOISE_DB = (-75.0, -38.0)


@dataclass(frozen=True)
class Utterance:
    """A sentence as it sounds and as it looks.

    Attributes:
        language: espeak-ng's name of it.
        text: what is said.
        samples: (S,) float32 at 16 kHz, silence before and after.
        units: (T, U) float32 at 25 frames a second.
        mood: (U,) float32, what the face does besides speaking; part of `units`.
    """

    language: str
    text: str
    samples: np.ndarray
    units: np.ndarray
    mood: np.ndarray


@dataclass(frozen=True)
class _Plan:
    language: str
    text: str
    voice: Voice
    random: np.random.Generator


def make_utterances(count: int, *, seed: int, part: Part) -> list[Utterance]:
    """Utterances of all languages in turn.

    Raises:
        InputError: espeak-ng is not installed.
    """
    return speak_utterances(range(count), seed=seed, part=part)


def speak_utterances(numbers: Sequence[int], *, seed: int, part: Part) -> list[Utterance]:
    """The utterances of some numbers.

    Raises:
        InputError: espeak-ng is not installed.
    """
    plans = [_plan(number, seed, part) for number in numbers]
    spoken = speak([(plan.voice, plan.text) for plan in plans])
    return [_utterance(plan, said) for plan, said in zip(plans, spoken, strict=True)]


def write_recording(path: Path, samples: np.ndarray) -> None:
    """Write (S,) float samples at 16 kHz as a 16-bit WAV, atomically."""
    with atomic_path(path) as unfinished, wave.open(str(unfinished), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _plan(number: int, seed: int, part: Part) -> _Plan:
    random = np.random.default_rng([seed, number, {"train": 5, "test": 6, "val": 9}[part]])
    texts = {"train": TRAINED, "val": VALIDATED, "test": HELD_OUT}[part]
    language = list(texts)[number % len(texts)]
    text = texts[language][random.integers(len(texts[language]))]
    if part == "train" and random.random() < _MIXED_SHARE:
        text = _mixed(texts[language], random)
    variant = _VARIANTS[part][random.integers(len(_VARIANTS[part]))]
    voice = Voice(language + variant, int(random.integers(125, 205)), int(random.integers(20, 80)))
    return _Plan(language, text, voice, random)


def _mixed(sentences: Sequence[str], random: np.random.Generator) -> str:
    """Words of any of the sentences in any order: sounds meet that do not meet in so few sentences."""
    words = [word.strip(",.?¿") for sentence in sentences for word in sentence.split()]
    return " ".join(random.choice(words, size=_MIXED_WORDS))


def _utterance(plan: _Plan, spoken: Spoken) -> Utterance:
    random = plan.random
    voiced = resample(spoken.samples / 32768.0, spoken.rate_hz)
    before_s, after_s = random.uniform(0.1, _LONGEST_SILENCE_S, size=2)
    samples = np.concatenate([_silence(before_s), voiced, _silence(after_s)])
    noise = 10 ** (random.uniform(*_NOISE_DB) / 20)
    samples = samples * random.uniform(0.2, 1.0) + noise * random.standard_normal(len(samples))
    frame_count = -(-len(samples) * FPS.numerator // (RATE_HZ * FPS.denominator))
    phonemes = _shifted(spoken.phonemes, before_s)
    mouth = speaking_units(phonemes, before_s + len(voiced) / RATE_HZ, FPS, frame_count)
    mood = unit_vector(_MOODS[random.integers(len(_MOODS))]) * random.uniform(0.3, 1.0)
    units = np.clip(random.uniform(0.75, 1.1) * mouth + mood, 0, 1)
    return Utterance(
        plan.language, plan.text, samples.astype(np.float32), units.astype(np.float32), mood.astype(np.float32)
    )


def _silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def _shifted(phonemes: Sequence[Phoneme], by_s: float) -> list[Phoneme]:
    return [Phoneme(phoneme.ipa, phoneme.start_s + by_s) for phoneme in phonemes]
