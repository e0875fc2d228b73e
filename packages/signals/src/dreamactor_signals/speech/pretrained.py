"""Speech features by a pretrained encoder that the user brings: Whisper, wav2vec2 or HuBERT, in transformers' layout.

A recording of any length goes through in windows that overlap; only the middle of each is kept, so that no frame lacks
the sound around it and memory stays flat.

Legend: T video frames, S samples, N encoder steps, C channels.
"""

import json
from fractions import Fraction
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file

from dreamactor_signals.speech.recording import RATE_HZ

if TYPE_CHECKING:
    import torch

WEIGHTS = "model.safetensors"
_STEP = 320
"""Samples an encoder step, for all three."""
_WINDOW_S = 30
# Share of a window, at either end, that only lends its sound to the rest.
_MARGIN = 1 / 6
# Places within a video frame whose features are averaged.
_INSIDE = (np.arange(4) + 0.5) / 4
# Training masks the input with it; nothing is masked here.
_UNUSED = {"masked_spec_embed", "wav2vec2.masked_spec_embed", "hubert.masked_spec_embed"}


class _Encoder(Protocol):
    """One kind of encoder."""

    window: int
    """Samples it hears at once."""
    offset: float
    """Samples from the start of its input to the middle of its first step."""

    def prepare(self, samples: np.ndarray) -> np.ndarray: ...

    def encode(self, samples: np.ndarray) -> np.ndarray: ...


class PretrainedSpeech:
    """Features of any recording by one encoder.

    Args:
        folder: with config.json and model.safetensors.

    Raises:
        WeightsError: something is missing, damaged, of another kind, or transformers is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if find_spec("transformers") is None:
            raise WeightsError(
                "a pretrained speech encoder needs transformers", remedy="Run: pip install 'dreamactor-signals[speech]'"
            )
        self.name = encoder_name(folder)
        kind, config = _read_config(folder)
        self._encoder: _Encoder = _KINDS[kind](folder, config)

    def features(self, samples: np.ndarray, fps: Fraction, frame_count: int) -> np.ndarray:
        """(T, C) float32 of (S,) samples at 16 kHz; silence beyond them."""
        needed = ceil(frame_count * RATE_HZ / fps)
        heard = np.zeros(max(needed, len(samples)), np.float32)
        heard[: len(samples)] = self._encoder.prepare(samples)
        steps = self._all_steps(heard)
        middle_s = ((np.arange(frame_count)[:, None] + _INSIDE) / float(fps)).ravel()
        at = np.clip((middle_s * RATE_HZ - self._encoder.offset) / _STEP, 0, len(steps) - 1)
        before = np.minimum(at.astype(np.int64), len(steps) - 1)
        after = np.minimum(before + 1, len(steps) - 1)
        share = (at - before)[:, None]
        sampled = (1 - share) * steps[before] + share * steps[after]
        return sampled.reshape(frame_count, len(_INSIDE), -1).mean(axis=1).astype(np.float32)

    def _all_steps(self, samples: np.ndarray) -> np.ndarray:
        """(N, C): step n belongs to sample `offset + 320 n`."""
        window = self._encoder.window
        margin = int(window * _MARGIN) // _STEP
        stride = window // _STEP - 2 * margin
        total = -(-len(samples) // _STEP)
        parts = []
        for first in range(0, max(total, 1), stride):
            start = max(first - margin, 0)
            steps = self._encoder.encode(samples[start * _STEP : start * _STEP + window])
            parts.append(steps[first - start : first - start + stride])
        return np.concatenate(parts)[: max(total, 1)]


def encoder_name(folder: Path) -> str:
    """Kind and checksum of the encoder in a folder, which is not loaded for it.

    Raises:
        WeightsError: something is missing, or it is of another kind.
    """
    kind, _ = _read_config(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise WeightsError(f"no {WEIGHTS} in this folder", path=folder, remedy="Get the whole checkpoint")
    return f"{kind} {sha256_file(weights)[:16]}"


class _Whisper:
    """The encoder half of a Whisper checkpoint: fixed windows of log-mel."""

    offset = 0.0

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        from transformers import WhisperFeatureExtractor, WhisperModel

        self._model = _load(WhisperModel, folder).encoder
        steps = int(config["max_source_positions"])
        self.window = steps * _STEP
        self._mel = WhisperFeatureExtractor(
            feature_size=int(config["num_mel_bins"]), chunk_length=-(-self.window // RATE_HZ), sampling_rate=RATE_HZ
        )
        self._columns = 2 * steps

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        return samples

    def encode(self, samples: np.ndarray) -> np.ndarray:
        import torch

        # It was trained on windows of one length, their end filled with silence.
        mel = self._mel(samples, sampling_rate=RATE_HZ, return_tensors="np").input_features
        with torch.inference_mode():
            return _steps(self._model(torch.from_numpy(mel[..., : self._columns])))


class _Waveform:
    """wav2vec2 and HuBERT: convolutions over the waveform itself."""

    # The first step sees samples 0 to 400.
    offset = 200.0
    window = _WINDOW_S * RATE_HZ

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        from transformers import HubertModel, Wav2Vec2Model

        self._model = _load({"wav2vec2": Wav2Vec2Model, "hubert": HubertModel}[config["model_type"]], folder)
        preprocessor = folder / "preprocessor_config.json"
        self._normalise = not preprocessor.is_file() or bool(_read_json(preprocessor).get("do_normalize", True))

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        # Over the whole recording: window by window, a pause would become loud.
        return (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7) if self._normalise else samples

    def encode(self, samples: np.ndarray) -> np.ndarray:
        import torch

        # A step sees 400 samples and begins every 320: the last one reaches 80 further.
        heard = np.pad(samples, (0, -len(samples) % _STEP + 80)).astype(np.float32)
        with torch.inference_mode():
            return _steps(self._model(torch.from_numpy(heard)[None]))


_KINDS: dict[str, type[_Whisper] | type[_Waveform]] = {"whisper": _Whisper, "wav2vec2": _Waveform, "hubert": _Waveform}


def _steps(output: Any) -> np.ndarray:
    """(N, C) of a model's answer to one recording."""
    hidden: torch.Tensor = output.last_hidden_state[0]
    return hidden.float().numpy()


def _read_config(folder: Path) -> tuple[str, dict[str, Any]]:
    path = folder / "config.json"
    if not path.is_file():
        raise WeightsError("no config.json in this folder", path=folder, remedy="Name the folder of a checkpoint")
    config = _read_json(path)
    kind = str(config.get("model_type"))
    if kind not in _KINDS:
        raise WeightsError(f"a {kind} model is no speech encoder", path=folder, remedy=f"Known: {', '.join(_KINDS)}")
    return kind, config


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as problem:
        raise WeightsError(f"not JSON ({problem})", path=path, remedy="Get the whole checkpoint") from problem


def _load(architecture: Any, folder: Path) -> Any:
    """A model with every weight from the folder, in float32, for inference."""
    import torch
    from transformers.utils.logging import disable_progress_bar

    # It would count its tensors on the user's terminal.
    disable_progress_bar()
    try:
        model, report = architecture.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    except Exception as problem:
        raise WeightsError(
            f"cannot be loaded ({type(problem).__name__}: {problem})", path=folder, remedy="Get the whole checkpoint"
        ) from problem
    if missing := set(report["missing_keys"]) - _UNUSED:
        raise WeightsError(f"weights are missing: {', '.join(sorted(missing)[:3])}", path=folder,
                           remedy="Get the whole checkpoint")  # fmt: skip
    return model.eval()
