"""Speech features: every kind of WAV, bad files, the embedded log-mel and its invariances, the command."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.cli import build_app
from dreamactor_core.errors import DecodeError, InputError
from dreamactor_core.files import save_tensors
from dreamactor_signals.speech import SpeechFeatures, SpeechReader
from dreamactor_signals.speech.log_mel import BANDS, CONTEXT_S, mel_filters
from dreamactor_signals.speech.recording import read_recording
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

FPS = Fraction(25)
KINDS = [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)]


def voice(rate_hz: int, seconds: float = 1.0, *, start_s: float = 0.0, seed: int = 0) -> np.ndarray:
    """(S,) something like a voice: syllables of harmonics below 3.5 kHz, a function of time alone."""
    t = start_s + np.arange(round(rate_hz * seconds)) / rate_hz
    random = np.random.default_rng(seed)
    phases, heights = random.uniform(0, 6.28, 25), random.uniform(0.2, 1, 25)
    tones = sum(heights[k] * np.sin(2 * np.pi * 140 * (k + 1) * t + phases[k]) for k in range(25))
    return 0.03 * tones * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))


def wav_bytes(samples: np.ndarray, rate_hz: int, kind: tuple[int, int] = (1, 16), *, extensible: bool = False) -> bytes:
    """A WAV of (S,) or (S, channels) samples in [-1, 1]."""
    samples = samples[:, None] if samples.ndim == 1 else samples
    tag, bits = kind
    channels = samples.shape[1]
    if tag == 3:
        data = samples.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        data = np.clip(np.round(samples * 128 + 128), 0, 255).astype(np.uint8).tobytes()
    else:
        whole = np.round(np.clip(samples, -1, 1 - 2.0 ** (1 - bits)) * 2.0 ** (bits - 1)).astype("<i4")
        data = np.ascontiguousarray(whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8]).tobytes()
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate_hz, rate_hz * block, block, bits)
    if extensible:
        fmt += struct.pack("<HHIH", 22, bits, 0, tag) + bytes(14)
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def write_wav(path: Path, samples: np.ndarray, rate_hz: int = 16000, kind: tuple[int, int] = (1, 16)) -> Path:
    path.write_bytes(wav_bytes(samples, rate_hz, kind))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extensible", [False, True])
def test_every_kind_of_sample_is_read(tmp_path: Path, kind: tuple[int, int], extensible: bool) -> None:
    wanted = voice(16000, 0.2)
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(wanted, 16000, kind, extensible=extensible))
    samples = read_recording(path)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, wanted, atol=0.01 if kind[1] == 8 else 1e-4)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = voice(16000, 0.3), voice(16000, 0.3, seed=1)
    both = read_recording(write_wav(tmp_path / "b.wav", np.stack([left, right], axis=1), kind=(3, 32)))
    np.testing.assert_allclose(both, (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000])
def test_resampling_keeps_the_sound_and_its_time(tmp_path: Path, rate_hz: int) -> None:
    samples = read_recording(write_wav(tmp_path / "r.wav", voice(rate_hz, 0.5), rate_hz, (3, 32)))
    assert abs(len(samples) - 8000) <= 1
    wanted = voice(16000, 0.5)
    inner = slice(400, 7600)
    assert np.abs(samples[:8000][inner] - wanted[inner]).max() < 0.02 * np.abs(wanted).max()


def test_a_stream_that_never_stated_its_length_is_read_to_its_end(tmp_path: Path) -> None:
    data = wav_bytes(voice(16000, 0.1), 16000)
    at = data.index(b"data") + 4
    (tmp_path / "s.wav").write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
    assert len(read_recording(tmp_path / "s.wav")) == 1600


def _replaced(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


GOOD = wav_bytes(np.zeros(800), 16000)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"ID3\x03 not a wav at all", "is not a WAV"),
        (GOOD[:20], "is cut short"),
        (GOOD[:30], "is cut short in its header"),
        (GOOD[:-500], "is cut short: 1100 of 1600 bytes"),
        (GOOD[: GOOD.index(b"data")], "holds no samples"),
        (wav_bytes(np.zeros(0), 16000), "holds no samples"),
        (_replaced(GOOD, 20, b"\x55\0"), "format 85, 16 bits"),
        (_replaced(GOOD, 22, b"\0\0"), "states 0 channels"),
        (_replaced(GOOD, 24, b"\x01\0\0\0"), "at 1 Hz"),
        (wav_bytes(np.full(10, np.nan), 16000, (3, 32)), "not finite"),
    ],
)
def test_bad_recordings_are_refused_by_name(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(data)
    with pytest.raises(InputError, match=problem) as caught:
        SpeechReader().read(path, FPS)
    assert caught.value.path == path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 899), st.integers(0, 255), st.integers(0, 900))
def test_damage_anywhere_gives_a_typed_error_or_a_recording(tmp_path: Path, at: int, byte: int, length: int) -> None:
    path = tmp_path / "damaged.wav"
    path.write_bytes(_replaced(GOOD, at, bytes([byte]))[: max(length, 1)])
    try:
        samples = read_recording(path)
    except DecodeError as error:
        samples = np.zeros(1) if error.path == path else None
    assert samples is not None
    assert np.isfinite(samples).all()


def test_features_cover_the_recording_at_the_videos_rate(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "v.wav", voice(16000, 1.5))
    for fps in (Fraction(25), Fraction(30000, 1001), Fraction(60)):
        found = SpeechReader().read(path, fps)
        assert found.features.shape == (int(np.ceil(1.5 * fps)), len(CONTEXT_S) * BANDS)
        assert found.features.dtype == np.float32
        assert not found.silent.any()
        assert np.abs(found.features).max() < 1.5
    assert len(SpeechReader().read(path, FPS, frame_count=7)) == 7
    longer = SpeechReader().read(path, FPS, frame_count=50)
    assert longer.silent.tolist() == [False] * 38 + [True] * 12
    np.testing.assert_allclose(longer.features[45:], -1)


def test_silence_is_finite_and_marked(tmp_path: Path) -> None:
    quiet = SpeechReader().read(write_wav(tmp_path / "q.wav", np.zeros(16000)), FPS)
    assert quiet.silent.all()
    np.testing.assert_allclose(quiet.features, -1)
    pause = np.concatenate([voice(16000, 0.8), np.zeros(12800), voice(16000, 0.8)])
    silent = SpeechReader().read(write_wav(tmp_path / "p.wav", pause), FPS).silent
    assert silent.tolist() == [False] * 20 + [True] * 20 + [False] * 20


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 20), st.integers(0, 50))
def test_a_shift_in_time_shifts_the_features(tmp_path: Path, frames: int, seed: int) -> None:
    sound = voice(16000, 1.0, seed=seed)
    plain = SpeechReader().read(write_wav(tmp_path / "a.wav", sound, kind=(3, 32)), FPS)
    late = SpeechReader().read(write_wav(tmp_path / "b.wav", np.r_[np.zeros(640 * frames), sound], kind=(3, 32)), FPS)
    assert len(late) == len(plain) + frames
    np.testing.assert_allclose(late.features[frames:], plain.features, atol=1e-4)
    assert late.silent.tolist() == [True] * frames + plain.silent.tolist()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 50), st.floats(0.1, 3), st.integers(2, 4))
def test_loudness_and_channels_do_not_matter(tmp_path: Path, seed: int, gain: float, channels: int) -> None:
    sound = voice(16000, 0.6, seed=seed)
    many = np.repeat(gain * sound[:, None], channels, axis=1)
    mono = SpeechReader().read(write_wav(tmp_path / "m.wav", sound, kind=(3, 32)), FPS)
    loud = SpeechReader().read(write_wav(tmp_path / "l.wav", many, kind=(3, 32)), FPS)
    np.testing.assert_allclose(loud.features, mono.features, atol=1e-4)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
def test_the_sample_rate_does_not_matter(tmp_path: Path, rate_hz: int) -> None:
    plain = SpeechReader().read(write_wav(tmp_path / "a.wav", voice(16000), kind=(3, 32)), FPS).features
    other = SpeechReader().read(write_wav(tmp_path / "b.wav", voice(rate_hz), rate_hz, (3, 32)), FPS).features
    # What 8 kHz can carry; where the recording starts and stops, resampling rings.
    low = np.tile(np.arange(BANDS) < np.flatnonzero(mel_filters()[:, 112:].any(axis=1))[0], len(CONTEXT_S))
    inner = np.abs(other - plain)[3:-3, low]
    assert inner.max() < 0.08
    assert inner.mean() < 0.01


def test_bands_cover_the_range_of_speech_without_holes() -> None:
    filters = mel_filters()
    assert filters.shape == (BANDS, 257)
    assert (filters.sum(axis=1) > 0).all()
    bins = slice(round(150 / 31.25), round(7300 / 31.25))
    assert (filters.sum(axis=0)[bins] > 0.3).all()


def test_features_are_saved_whole_and_read_back(tmp_path: Path) -> None:
    found = SpeechReader().read(write_wav(tmp_path / "v.wav", voice(16000, 0.4)), Fraction(30000, 1001))
    found.save(tmp_path / "f.safetensors")
    again = SpeechFeatures.load(tmp_path / "f.safetensors")
    np.testing.assert_array_equal(again.features, found.features)
    np.testing.assert_array_equal(again.silent, found.silent)
    assert (again.fps, again.encoder, again.source_sha256) == (found.fps, "log-mel", found.source_sha256)


def test_other_files_are_no_features(tmp_path: Path) -> None:
    save_tensors(tmp_path / "x.safetensors", {"a": np.zeros(3)}, {"format": "other"})
    with pytest.raises(InputError, match="not speech features"):
        SpeechFeatures.load(tmp_path / "x.safetensors")
    header = {"format": "dreamactor-speech-features", "version": 1, "fps": "25", "encoder": "e", "source_sha256": "0"}
    save_tensors(tmp_path / "y.safetensors", {"features": np.zeros((3, 2))}, header)
    with pytest.raises(InputError, match="incomplete"):
        SpeechFeatures.load(tmp_path / "y.safetensors")
    save_tensors(tmp_path / "z.safetensors", {"features": np.zeros((3, 2)), "silent": np.zeros(4, bool)}, header)
    with pytest.raises(InputError, match="contradicting"):
        SpeechFeatures.load(tmp_path / "z.safetensors")


def test_the_command_writes_features(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "v.wav", voice(44100, 1.0), 44100)
    output = tmp_path / "out/f.safetensors"
    result = CliRunner().invoke(
        build_app(), ["signals", "speech", str(path), "-o", str(output), "--fps", "30000/1001", "--frames", "12"]
    )
    assert result.exit_code == 0, result.output
    found = SpeechFeatures.load(output)
    assert (len(found), found.fps) == (12, Fraction(30000, 1001))


@pytest.mark.parametrize("fps", ["fast", "1/0", "-25", "0"])
def test_the_command_refuses_rates_that_are_none(tmp_path: Path, fps: str) -> None:
    path = write_wav(tmp_path / "v.wav", voice(16000, 0.1))
    result = CliRunner().invoke(build_app(), ["signals", "speech", str(path), "-o", str(tmp_path / "f"), "--fps", fps])
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "f").exists()
