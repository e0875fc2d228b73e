"""The features of a recording at video rate, and the file that keeps them.

Legend: T video frames, C channels, S samples.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.files import load_tensors, save_tensors, sha256_file
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.speech.log_mel import log_mel
from dreamactor_signals.speech.recording import RATE_HZ, read_recording

if TYPE_CHECKING:
    from dreamactor_signals.speech.pretrained import PretrainedSpeech

FORMAT, VERSION = "dreamactor-speech-features", 1
LOG_MEL = "log-mel"
# 60 dB below full scale: quieter than any voice that was meant to be heard.
_SILENCE = 1e-3
_REMEDY = "Make it again with: dreamactor signals speech WAV -o FILE.safetensors"


@dataclass(frozen=True)
class SpeechFeatures:
    """A recording, one vector a video frame; frame t covers the time from t / fps to (t + 1) / fps.

    Attributes:
        features: (T, C) float32, finite.
        silent: (T,) bool, frames in which nothing is to be heard.
        fps: of the video.
        encoder: what made them: "log-mel", or name and checksum of a pretrained encoder.
        source_sha256: of the recording.
    """

    features: np.ndarray
    silent: np.ndarray
    fps: Fraction
    encoder: str
    source_sha256: str

    def __len__(self) -> int:
        return len(self.features)

    def save(self, path: Path | str) -> None:
        """Write one safetensors file with a JSON header, atomically."""
        header = {
            "format": FORMAT, "version": VERSION, "fps": str(self.fps), "encoder": self.encoder,
            "source_sha256": self.source_sha256,
        }  # fmt: skip
        save_tensors(path, {"features": self.features, "silent": self.silent}, header)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read features back.

        Raises:
            InputError: no such file, not speech features, of another version, or damaged.
        """
        tensors, header = load_tensors(path)
        if header.get("format") != FORMAT or header.get("version") != VERSION:
            raise InputError(f"not speech features of version {VERSION}", path=path, remedy=_REMEDY)
        try:
            found = cls(
                tensors["features"],
                tensors["silent"],
                Fraction(header["fps"]),
                header["encoder"],
                header["source_sha256"],
            )
        except (KeyError, ValueError) as problem:
            raise InputError(f"incomplete speech features ({problem})", path=path, remedy=_REMEDY) from problem
        if found.features.ndim != 2 or found.silent.shape != found.features.shape[:1]:
            raise InputError("speech features of contradicting shapes", path=path, remedy=_REMEDY)
        return found


class SpeechReader:
    """Reads recordings by one encoder, which is loaded with the first and once.

    Args:
        encoder: folder of a Whisper, wav2vec2 or HuBERT checkpoint; None for the embedded log-mel.

    Raises:
        WeightsError: the encoder is missing or of another kind.
    """

    def __init__(self, encoder: Path | None = None) -> None:
        self._folder = encoder
        self.name = LOG_MEL if encoder is None else _name_of(encoder)

    @classmethod
    def chosen(cls, settings: SignalsSettings) -> Self:
        """By the encoder that the settings name.

        Raises:
            WeightsError: the encoder is missing or of another kind.
        """
        return cls(None if settings.speech_encoder is None else Path(settings.speech_encoder))

    def read(self, recording: Path | str, fps: Fraction, frame_count: int | None = None) -> SpeechFeatures:
        """Features of a recording, aligned to a video.

        Args:
            recording: a WAV, of any sample rate and number of channels.
            fps: of the video.
            frame_count: T; what lies beyond the recording is silence. None: as many frames as cover the recording.

        Raises:
            InputError: no such file, an empty one, or an impossible rate or count.
            DecodeError: not a whole WAV with sound in it.
            WeightsError: the encoder is damaged.
        """
        if fps <= 0 or (frame_count is not None and frame_count < 1):
            raise InputError(f"{frame_count} frames at {fps} a second are no video", path=recording)
        samples = read_recording(recording)
        if frame_count is None:
            frame_count = -(-len(samples) * fps.numerator // (RATE_HZ * fps.denominator))
        silent = _silent_frames(samples, fps, frame_count)
        if self._network is None:
            features = log_mel(samples, fps, silent)
        else:
            features = self._network.features(samples, fps, frame_count)
        return SpeechFeatures(features, silent, fps, self.name, sha256_file(recording))

    @cached_property
    def _network(self) -> "PretrainedSpeech | None":
        # torch and transformers load only where such an encoder is asked for.
        from dreamactor_signals.speech.pretrained import PretrainedSpeech

        return None if self._folder is None else PretrainedSpeech(self._folder)


def _name_of(folder: Path) -> str:
    from dreamactor_signals.speech.pretrained import encoder_name

    return encoder_name(folder)


def _silent_frames(samples: np.ndarray, fps: Fraction, frame_count: int) -> np.ndarray:
    """(T,) frames whose loudness stays below the threshold of hearing in the recording."""
    edges = [min(round(t * RATE_HZ / fps), len(samples)) for t in range(frame_count + 1)]
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    counts = np.maximum(np.diff(edges), 1)
    return np.sqrt(np.maximum(np.diff(energy[edges]), 0) / counts) < _SILENCE
