"""Driving by speech: the face of a recording, and the pose of a person who stands and speaks (paper 4.2).

Legend: T video frames, N frames of the audio encoder, C width of a token or values, J joints, U face units.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import Settings
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.smoothing import smooth
from dreamactor_signals.speech import SpeechReader

from dreamactor_model.audio_weights import find_audio
from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint, read_about
from dreamactor_model.encoders.audio import AUDIO_FPS, AudioEncoder

# A head that is held still still moves a little: deviations of yaw, pitch and roll, each slower than this.
_SWAY_RAD = np.radians((1.8, 1.2, 0.8))
_SWAY_S = 0.5
# What speech moves of a face; eyes and brows are not heard.
_SPOKEN = np.array([name.startswith(("jaw", "mouth")) for name in ARKIT_UNITS])


@dataclass(frozen=True)
class Spoken:
    """A recording's face.

    Attributes:
        tokens_TC: float32 face motion tokens.
        units_TU: float32 face units in [0, 1].
    """

    tokens_TC: np.ndarray
    units_TU: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens_TC)

    def onto(self, track: MotionTrack) -> MotionTrack:
        """A performance that speaks, as long as the shorter of both; eyes and brows stay its own."""
        count = min(len(self), len(track))
        track = track[:count]
        units_TU = np.zeros_like(self.units_TU[:count]) if track.face_units is None else track.face_units
        units_TU = np.where(_SPOKEN, self.units_TU[:count], units_TU)
        return replace(track, face_tokens=self.tokens_TC[:count], face_units=units_TU)


@dataclass(frozen=True)
class SpeechDriver:
    """The audio encoder of a model with the speech features it was trained on."""

    encoder: AudioEncoder
    reader: SpeechReader
    about: dict[str, object]
    device: torch.device

    @classmethod
    def load(cls, checkpoint: Path, settings: Settings, device: torch.device) -> Self:
        """That of a finished model.

        Raises:
            WeightsError: there is none, or it was trained on other speech features than the settings name.
        """
        folder = find_audio(checkpoint)
        about = read_about(folder)
        reader = SpeechReader.chosen(settings.signals)
        if about["features"] != reader.name:
            raise WeightsError(
                f"was trained on speech features of {about['features']}, not {reader.name}",
                path=folder,
                remedy="Set signals.speech_encoder to the encoder it was trained with",
            )
        encoder = load_checkpoint(folder, AudioEncoder, device=device)
        return cls(encoder, reader, about | {"manifest_sha256": sha256_file(folder / MANIFEST_FILE)}, device)

    def face(self, recording: Path, fps: Fraction, style_C: torch.Tensor | None = None) -> Spoken:
        """Of all frames that the recording covers.

        Raises:
            InputError, DecodeError: not a recording.
        """
        read = self.reader.read(recording, AUDIO_FPS)
        features_NM = torch.from_numpy(read.features).to(self.device)
        said = (values.float().cpu().numpy() for values in self.encoder.speak(features_NM, style_C))
        return Spoken(*(at_rate(values_NC, AUDIO_FPS, fps) for values_NC in said))


def at_rate(values_NC: np.ndarray, from_fps: Fraction, to_fps: Fraction) -> np.ndarray:
    """(T, C) values at the middles of frames of another rate, linearly between neighbours."""
    count = int(len(values_NC) * to_fps / from_fps) or 1
    at_N = (np.arange(count) + 0.5) * float(from_fps / to_fps) - 0.5
    at_N = np.clip(at_N, 0, len(values_NC) - 1)
    before = np.floor(at_N).astype(np.int64)
    after = np.minimum(before + 1, len(values_NC) - 1)
    share = (at_N - before)[:, None]
    return np.asarray((1 - share) * values_NC[before] + share * values_NC[after], np.float32)


def held_pose(reference: MotionTrack, frame_count: int, fps: Fraction, seed: int) -> MotionTrack:
    """A track of T frames in the pose of one, but for the small sway that no held head is without.

    Args:
        reference: its first frame is held.
        seed: of the sway.
    """
    held = replace(reference[[0] * frame_count], fps=fps)
    noise = np.random.default_rng([seed, 9]).standard_normal((frame_count, 3))
    slow = smooth(noise, np.ones(frame_count), float(fps) * _SWAY_S)
    # What an average over so long leaves of noise of deviation 1.
    angles_T3 = slow * np.sqrt(2 * np.sqrt(np.pi) * float(fps) * _SWAY_S) * _SWAY_RAD
    # It begins as the reference is.
    sway = rotation_of_angles(*(angles_T3 - angles_T3[0]).T)
    return replace(held, head_rotation=sway @ held.head_rotation)
