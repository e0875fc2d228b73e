"""WAV files to one channel at 16 kHz. Read by hand: a few dozen lines, and every defect has a name.

Legend: S samples.
"""

import struct
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
from dreamactor_core.errors import DecodeError
from dreamactor_core.files import require_file

RATE_HZ = 16000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SAMPLES = {
    (_PCM, 8): "<u1", (_PCM, 16): "<i2", (_PCM, 32): "<i4", (_FLOAT, 32): "<f4", (_FLOAT, 64): "<f8",
}  # fmt: skip
_RATES_HZ = (1000, 768_000)
# A writer that streams does not know the length yet and leaves one of these.
_UNKNOWN_LENGTH = (0, 0xFFFFFFFF)
_REMEDY = "Convert it with: ffmpeg -i FILE -c:a pcm_s16le SPEECH.wav"


@dataclass(frozen=True)
class _Format:
    """What the `fmt ` chunk says."""

    tag: int
    channels: int
    rate_hz: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8


def read_recording(path: Path | str) -> np.ndarray:
    """(S,) float32 samples in about [-1, 1]: the mean of all channels, at 16 kHz.

    Raises:
        InputError: no such file, or an empty one.
        DecodeError: not a WAV, cut short, without samples, or of a kind that is not read.
    """
    path = require_file(path)
    samples, rate_hz = _read_wav(path)
    return resample(samples, rate_hz)


def resample(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """(S,) samples at `rate_hz` to float32 at 16 kHz, band-limited, without delay."""
    from scipy.signal import resample_poly

    if rate_hz != RATE_HZ:
        shared = gcd(rate_hz, RATE_HZ)
        samples = resample_poly(samples, RATE_HZ // shared, rate_hz // shared)
    return samples.astype(np.float32)


def _read_wav(path: Path) -> tuple[np.ndarray, int]:
    """(S,) float64 mean of the channels, and the rate."""
    data = path.read_bytes()
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise DecodeError("is not a WAV recording", path=path, remedy=_REMEDY)
    kind: _Format | None = None
    at = 12
    while at + 8 <= len(data):
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        at += 8
        if name == b"fmt ":
            kind = _read_format(data[at : at + length], path)
        if name == b"data":
            if kind is None:
                raise DecodeError("has samples before their format", path=path, remedy=_REMEDY)
            return _read_samples(data, at, length, kind, path), kind.rate_hz
        # Chunks begin at even places.
        at += length + length % 2
    raise DecodeError("is cut short: it holds no samples", path=path, remedy="Get the whole file again")


def _read_format(chunk: bytes, path: Path) -> _Format:
    if len(chunk) < 16:
        raise DecodeError("is cut short in its header", path=path, remedy="Get the whole file again")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if not (tag, bits) == (_PCM, 24) and (tag, bits) not in _SAMPLES:
        raise DecodeError(f"holds samples of a kind that is not read (format {tag}, {bits} bits)", path=path,
                          remedy=_REMEDY)  # fmt: skip
    if channels == 0 or not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
        raise DecodeError(f"states {channels} channels at {rate_hz} Hz", path=path, remedy=_REMEDY)
    return _Format(tag, channels, rate_hz, bits)


def _read_samples(data: bytes, at: int, length: int, kind: _Format, path: Path) -> np.ndarray:
    there = len(data) - at
    if length in _UNKNOWN_LENGTH:
        length = there
    if there < length:
        raise DecodeError(
            f"is cut short: {there} of {length} bytes of sound are there", path=path, remedy="Get the whole file again"
        )
    count = length // kind.frame_bytes
    if count == 0:
        raise DecodeError("holds no samples", path=path, remedy="Record something")
    samples = _to_float(data[at : at + count * kind.frame_bytes], kind).reshape(count, kind.channels)
    if not np.isfinite(samples).all():
        raise DecodeError("holds samples that are not finite", path=path, remedy=_REMEDY)
    return samples.mean(axis=1)


def _to_float(data: bytes, kind: _Format) -> np.ndarray:
    """Samples as float64, full scale = 1."""
    if kind.bits == 24:
        # Three bytes become the upper three of a 32-bit integer, so that the sign comes along.
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4")[:, 0] / 2.0**31
    samples = np.frombuffer(data, _SAMPLES[kind.tag, kind.bits])
    if kind.tag == _FLOAT:
        return samples.astype(np.float64)
    if kind.bits == 8:
        return (samples - 128.0) / 128
    return samples / 2.0 ** (kind.bits - 1)
