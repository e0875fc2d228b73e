"""Stage audio: the audio encoder learns the face tokens and the face units of speech (paper 4.2: motion from audio).

The truth is a sentence whose phonemes, and so whose lips, are known in time; its tokens are those that the trained
stage's E_f and MLP make of faces with such lips, averaged over people (`token_map`).

Lips stay sharp by a velocity term: beside the tokens themselves, their change from frame to frame is regressed, each
measured by its own variance. A closure for a `p` is two frames long and weighs next to nothing in the plain error,
which mood and vowels dominate; in the change it weighs as much as they do. Flow matching, the other way, draws one
sharp answer out of many; but given the sound (both ways in time) lips have nearly one answer, and a regression gives it
in one pass, the same one every time.

Legend: B batch, N utterances, T video frames, K context frames, M speech features, U face units, C width of a token.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.settings.training import AudioStageSettings
from torch import Tensor, nn

from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.encoders.audio import AudioEncoder
from dreamactor_model.encoders.face_branch import FaceBranch, face_branch_sha256, load_face_branch
from dreamactor_model.presets import get_preset
from dreamactor_model.training.audio.speech_set import ShownUnits, SpeechSet, load_speech, prepare_speech
from dreamactor_model.training.audio.token_map import TokenMap, fit_token_map
from dreamactor_model.training.randomness import step_random
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.task import Batch

_CROPS_AT_ONCE = 32


class AudioObjective(nn.Module):
    """Regression of tokens and face units, and of their changes.

    Args:
        token_speed, unit_scale, unit_speed: root mean squares: of the tokens' change from frame to frame, of how units
            differ from their mean, and of their change. That of the tokens themselves the encoder knows.
    """

    def __init__(
        self, encoder: AudioEncoder, *, token_speed: float, unit_scale: float, unit_speed: float, velocity_weight: float
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self._token_speed, self._unit_scale, self._unit_speed = token_speed, unit_scale, unit_speed
        self._velocity_weight = velocity_weight

    def forward(
        self, features_BTM: Tensor, tokens_BTC: Tensor, units_BTU: Tensor, style_BC: Tensor, has_style_B: Tensor
    ) -> dict[str, Tensor]:
        """Losses, as shares of the variance that stays unexplained; features have K more frames at either end."""
        said = self.encoder(features_BTM, style_BC, has_style_B)
        wrong_BTC, wrong_BTU = said.tokens - tokens_BTC, said.units - units_BTU
        parts = {
            "position": (wrong_BTC / self.encoder.token_scale).square().mean(),
            "velocity": (wrong_BTC.diff(dim=1) / self._token_speed).square().mean(),
            "lips_position": (wrong_BTU / self._unit_scale).square().mean(),
            "lips_velocity": (wrong_BTU.diff(dim=1) / self._unit_speed).square().mean(),
        }
        position, velocity = (parts[kind] + parts[f"lips_{kind}"] for kind in ("position", "velocity"))
        return {"loss": position + self._velocity_weight * velocity, **parts}


class AudioTask:
    """Windows of utterances.

    Args:
        branch_sha256: of the face branch whose tokens are learned.
    """

    def __init__(
        self, encoder: AudioEncoder, speech: SpeechSet, token_map: TokenMap, row: AudioStageSettings, seed: int,
        *, branch_sha256: str,
    ) -> None:  # fmt: skip
        self._speech, self._row, self._seed = speech, row, seed
        self._tokens = [token_map(utterance.units_TU) for utterance in speech.utterances]
        self._moods = [token_map(utterance.mood_U[None])[0] for utterance in speech.utterances]
        features = np.concatenate([utterance.features_TM for utterance in speech.utterances])
        rest = token_map(np.zeros((1, speech.faces.units_KU.shape[1]), np.float32))[0]
        tokens = torch.from_numpy(np.concatenate(self._tokens))
        encoder.set_statistics(torch.from_numpy(features), tokens, torch.from_numpy(rest))
        units = [utterance.units_TU for utterance in speech.utterances]
        self.module = AudioObjective(
            encoder,
            token_speed=_speed(self._tokens),
            unit_scale=float(np.sqrt(np.concatenate(units).var(axis=0).mean())),
            unit_speed=_speed(units),
            velocity_weight=row.velocity_weight,
        )
        self._context = encoder.config.context
        self._about = {"stage": "audio", "steps": row.steps, "features": speech.features, "face_branch": branch_sha256}
        self._unexplained = token_map.unexplained

    @classmethod
    def from_spec(cls, spec: TrainingSpec) -> "AudioTask":
        """The task of a run: the tokens are those of the finished stage it starts from."""
        settings = spec.parsed_settings()
        (folder,) = spec.starts_from.values()
        speech = load_speech(prepare_speech(settings))
        feature_width = speech.utterances[0].features_TM.shape[1]
        encoder = AudioEncoder(get_preset(settings.model.preset).audio(feature_width))
        token_map = map_tokens(load_face_branch(folder), speech.faces)
        training = settings.training
        return cls(encoder, speech, token_map, training.audio, training.seed, branch_sha256=face_branch_sha256(folder))

    def batch(self, step: int, slot: int) -> Batch:
        """Windows with their context; beyond the ends of an utterance its first and last frame go on."""
        random = step_random(self._seed, step, slot)
        windows = [self._window(utterance, random) for utterance in self._choose(random)]
        return {name: torch.from_numpy(np.stack([window[name] for window in windows])) for name in windows[0]}

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """The sentences in the batch."""
        chosen = self._choose(step_random(self._seed, step, slot))
        return [self._speech.utterances[utterance].name for utterance in chosen]

    def save(self, folder: Path) -> Mapping[str, float]:
        """Write the encoder; says which face branch it speaks to and which features it hears."""
        save_checkpoint(self.module.encoder, folder, about=self._about)
        return {"token_map_unexplained": self._unexplained}

    def _choose(self, random: np.random.Generator) -> np.ndarray:
        return random.integers(len(self._speech.utterances), size=self._row.batch)

    def _window(self, number: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        utterance, tokens_TC = self._speech.utterances[number], self._tokens[number]
        start = int(random.integers(max(1, len(tokens_TC) - self._row.frames + 1)))
        last = len(tokens_TC) - 1
        heard = np.arange(start - self._context, start + self._row.frames + self._context).clip(0, last)
        shown = np.arange(start, start + self._row.frames).clip(0, last)
        return {
            "features_BTM": utterance.features_TM[heard],
            "tokens_BTC": tokens_TC[shown],
            "units_BTU": utterance.units_TU[shown],
            "style_BC": self._style(number, random),
            "has_style_B": np.array(random.random() >= self._row.style_dropout),
        }

    def _style(self, number: int, random: np.random.Generator) -> np.ndarray:
        """The mood of an utterance as a user shows it: a face in silence, or the mean of some frames of speech."""
        if random.random() < 0.5:
            return self._moods[number]
        tokens_TC = self._tokens[number]
        first, last = np.sort(random.integers(len(tokens_TC), size=2))
        return tokens_TC[first : last + 1].mean(axis=0)


def _speed(sequences: list[np.ndarray]) -> float:
    """Root mean square of the change from frame to frame."""
    return float(np.sqrt(np.square(np.concatenate([np.diff(one, axis=0) for one in sequences])).mean()))


def map_tokens(branch: FaceBranch, faces: ShownUnits) -> TokenMap:
    """What the face branch makes of expressions, over people."""
    return fit_token_map(faces.units_KU, tokens_of_crops(branch, faces.crops_KSS3), faces.person_K)


@torch.inference_mode()
def tokens_of_crops(branch: FaceBranch, crops_KSS3: np.ndarray) -> np.ndarray:
    """(K, C) float32 tokens of uint8 crops."""
    device = next(branch.parameters()).device
    parts = [
        branch(torch.from_numpy(crops_KSS3[first : first + _CROPS_AT_ONCE]).to(device).permute(0, 3, 1, 2) / 255)
        for first in range(0, len(crops_KSS3), _CROPS_AT_ONCE)
    ]
    return torch.cat(parts).float().cpu().numpy()
