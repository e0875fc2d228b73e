"""Lips from speech on sentences and voices never heard, with and without the term that keeps them sharp.

Stage face first trains a face encoder of the tiny preset; two audio encoders, alike but for the velocity term, then
learn its tokens. A linear probe, fitted on the tokens of rendered faces, reads how far the jaw is open from
the tokens of speech; truth are the units the speech was made with. The velocity ratio is the deviation of the tokens'
change from frame to frame, predicted over true.

    python -m benchmarks.dit_parts.speech
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.settings import Settings
from dreamactor_dataset.synthetic.faces.synthesize import synthesize_faces
from dreamactor_model.encoders.audio import AudioEncoder
from dreamactor_model.encoders.face_branch import FaceBranch
from dreamactor_model.presets import get_preset
from dreamactor_model.training.audio.audio_stage import AudioTask, map_tokens, tokens_of_crops
from dreamactor_model.training.audio.speech_set import (
    SpeechSet,
    SpokenFeatures,
    choose_units,
    load_speech,
    photograph,
    prepare_speech,
    speak_features,
)
from dreamactor_model.training.audio.token_map import TokenMap
from dreamactor_model.training.face.face_stage import FaceTask
from dreamactor_signals.speech import SpeechReader

from benchmarks.plain_training import descend

_PRESET = get_preset("tiny")
_TEST_PEOPLE, _TEST_PEOPLE_SEED = 4, 700
_TEST_UTTERANCES, _TEST_FACES = 32, 160
_JAW = ARKIT_UNITS.index("jawOpen")
_RIDGE = 1.0


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Correlations of jaw opening and velocity ratios; `scale` shortens training and sets."""
    torch.manual_seed(0)
    with TemporaryDirectory() as folder:
        settings = _settings(Path(folder), scale)
        speech = load_speech(prepare_speech(settings))
        branch = train_branch(settings)
        heard = Path(folder) / "heard"
        heard.mkdir()
        unheard = speak_features(
            heard, _TEST_UTTERANCES, seed=1, part="test", reader=SpeechReader.chosen(settings.signals)
        )
        token_map = map_tokens(branch, speech.faces)
        probe = Probe(tokens_of_crops(branch, speech.faces.crops_KSS3), speech.faces.units_KU[:, _JAW])
        found: dict[str, float | bool | str | None] = {"speech_token_map_unexplained": token_map.unexplained}
        found |= _ceiling(branch, probe, unheard, settings, scale)
        for label, weight in (("", 1.0), ("_without", 0.0)):
            encoder = train_encoder(speech, token_map, settings, weight)
            found |= {f"{key}{label}": value for key, value in compare(encoder, unheard, token_map, probe).items()}
    return found


def _settings(folder: Path, scale: float) -> Settings:
    curve = {"final_learning_rate": 0.02, "warmup_steps": 10}
    audio = {
        "steps": max(20, round(800 * scale)), "learning_rate": 2e-3, "utterances": max(24, round(512 * scale)),
        "faces": max(48, round(400 * scale)), "people": 8, **curve,
    }  # fmt: skip
    face = {"steps": max(20, round(400 * scale)), "batch": 24, "learning_rate": 1e-3, **curve}
    faces = {"people": 24, "images": 4 * max(1, round(8 * scale)), "size": 192}
    training = {
        "work_dir": str(folder),
        "models_dir": str(folder),
        "faces_dir": str(folder / "faces"),
        "audio": audio,
        "face": face,
    }
    return Settings.model_validate({"training": training, "dataset": {"faces": faces}})


class Probe:
    """A linear reading of one unit from tokens."""

    def __init__(self, tokens_KC: np.ndarray, unit_K: np.ndarray) -> None:
        self._mean, self._scale, self._offset = tokens_KC.mean(axis=0), tokens_KC.std() + 1e-9, unit_K.mean()
        x_KC = (tokens_KC - self._mean) / self._scale
        gram = x_KC.T @ x_KC + _RIDGE * np.eye(x_KC.shape[1])
        self._weights = np.linalg.solve(gram, x_KC.T @ (unit_K - self._offset))

    def __call__(self, tokens_KC: np.ndarray) -> np.ndarray:
        return np.asarray((tokens_KC - self._mean) / self._scale @ self._weights + self._offset)


def train_branch(settings: Settings) -> FaceBranch:
    """A face encoder as stage face makes it; the MLP behind it stays as it was born."""
    row = settings.training.face
    folder = Path(settings.training.faces_dir)
    synthesize_faces(folder, settings.dataset.faces)
    torch.manual_seed(0)
    branch = FaceBranch(_PRESET.actor)
    task = FaceTask(branch.face_encoder, folder, row, seed=0)
    descend(task.module, lambda step: task.batch(step, 0), row)
    # Its last act: what tells of pose, place and light is taken out of the encoder.
    task.save(Path(settings.training.models_dir) / "face")
    return branch.eval()


def train_encoder(speech: SpeechSet, token_map: TokenMap, settings: Settings, velocity_weight: float) -> AudioEncoder:
    """Stage audio with that weight of the velocity term."""
    torch.manual_seed(0)
    row = settings.training.audio.model_copy(update={"velocity_weight": velocity_weight})
    encoder = AudioEncoder(_PRESET.audio(speech.utterances[0].features_TM.shape[1]))
    task = AudioTask(encoder, speech, token_map, row, seed=0, branch_sha256="")
    descend(task.module, lambda step: task.batch(step, 0), row)
    return encoder.eval()


def compare(
    encoder: AudioEncoder, unheard: list[SpokenFeatures], token_map: TokenMap, probe: Probe
) -> dict[str, float]:
    """Correlation of the jaw by language, velocity ratio, and unexplained share of the tokens."""
    predicted = [
        # Told the mood, which cannot be heard, as a user tells it by a picture.
        encoder.speak(torch.from_numpy(u.features_TM), torch.from_numpy(token_map(u.mood_U[None])[0])).tokens.numpy()
        for u in unheard
    ]
    true = [token_map(utterance.units_TU) for utterance in unheard]
    jaws: dict[str, list[float]] = {}
    for utterance, tokens_TC in zip(unheard, predicted, strict=True):
        jaws.setdefault(utterance.language, []).append(_correlation(probe(tokens_TC), utterance.units_TU[:, _JAW]))
    means = {f"speech_jaw_r_{language}": float(np.mean(values)) for language, values in jaws.items()}
    spoken, shown = (np.concatenate([np.diff(tokens, axis=0) for tokens in kind]) for kind in (predicted, true))
    wrong, wanted = np.concatenate(predicted) - np.concatenate(true), np.concatenate(true)
    return means | {
        "speech_jaw_r": float(np.mean(list(means.values()))),
        "speech_velocity_ratio": float(spoken.std() / shown.std()),
        "speech_unexplained": float(np.square(wrong).mean() / wanted.var(axis=0).mean()),
        "speech_velocity_unexplained": float(np.square(spoken - shown).mean() / np.square(shown).mean()),
    }


def _ceiling(
    branch: FaceBranch, probe: Probe, unheard: list[SpokenFeatures], settings: Settings, scale: float
) -> dict[str, float]:
    """What the probe reads of people never seen, from pictures: no speech can be read better."""
    count = max(24, round(_TEST_FACES * scale))
    units = choose_units([u.units_TU for u in unheard], [u.mood_U for u in unheard], count, seed=3)
    shown = photograph(units, _TEST_PEOPLE, _TEST_PEOPLE_SEED, settings)
    read = probe(tokens_of_crops(branch, shown.crops_KSS3))
    return {"speech_jaw_r_from_pictures": _correlation(read, shown.units_KU[:, _JAW])}


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0), indent=2))
