"""Speech with truth: what phonemes look like, and that espeak-ng says the same thing every time."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_dataset.synthetic.speech import espeak
from dreamactor_dataset.synthetic.speech.espeak import Phoneme, Voice, speak
from dreamactor_dataset.synthetic.speech.mouth import speaking_units
from dreamactor_dataset.synthetic.speech.sentences import HELD_OUT, TRAINED
from dreamactor_dataset.synthetic.speech.utterances import FPS, make_utterances, write_recording
from dreamactor_dataset.synthetic.speech.visemes import REST, visemes_of
from dreamactor_signals.speech import SpeechReader
from dreamactor_signals.speech.recording import RATE_HZ, read_recording

_JAW, _PRESS, _PUCKER = (ARKIT_UNITS.index(name) for name in ("jawOpen", "mouthPressLeft", "mouthPucker"))
_FINE = Fraction(100)


def _units(*sounds: tuple[str, float], end_s: float) -> np.ndarray:
    return speaking_units([Phoneme(ipa, start) for ipa, start in sounds], end_s, _FINE, round(end_s * _FINE))


def test_lips_close_for_a_p_between_open_vowels_and_before_it_sounds() -> None:
    units = _units(("", 0.0), ("ˈa", 0.5), ("p", 0.7), ("a", 0.8), ("", 1.0), end_s=1.5)
    jaw = units[:, _JAW]
    closed = int(np.argmin(jaw[60:90])) + 60
    assert 0.68 <= (closed + 0.5) / 100 <= 0.76
    assert jaw[closed] < 0.15 * jaw.max()
    assert units[closed, _PRESS] > 0.25
    assert jaw[[10, 140]].max() < 0.02


def test_rounding_begins_earlier_than_the_jaw_moves() -> None:
    units = _units(("", 0.0), ("s", 0.4), ("uː", 0.6), ("", 0.9), end_s=1.4)
    rounded = units[:, _PUCKER] / units[:, _PUCKER].max()
    assert rounded[np.searchsorted(np.arange(140) / 100, 0.55)] > 0.1
    assert units[45, _PUCKER] < 0.1


def test_a_diphthong_moves_and_a_pause_rests() -> None:
    first, second = visemes_of("ˈaɪ")
    assert first.shape[_JAW] > 2 * second.shape[_JAW]
    assert visemes_of("") == [REST]
    assert visemes_of("tʃ")[1] is visemes_of("ʒ")[0]
    with pytest.raises(KeyError):
        visemes_of("§")


def test_no_sentence_is_both_trained_and_tested() -> None:
    assert TRAINED.keys() == HELD_OUT.keys()
    assert len(TRAINED) >= 3
    for language, sentences in TRAINED.items():
        assert not set(sentences) & set(HELD_OUT[language])


def test_every_sound_of_every_sentence_has_a_shape() -> None:
    lines = [(Voice(language), text) for part in (TRAINED, HELD_OUT) for language in part for text in part[language]]
    for spoken, (_, text) in zip(speak(lines), lines, strict=True):
        assert sum(len(visemes_of(phoneme.ipa)) for phoneme in spoken.phonemes) > len(text) / 3
        starts = [phoneme.start_s for phoneme in spoken.phonemes]
        assert all(before <= after for before, after in pairwise(starts))
        assert starts[-1] <= len(spoken.samples) / spoken.rate_hz


def test_equal_seeds_speak_alike_whatever_was_said_before() -> None:
    longer, shorter = make_utterances(6, seed=3, part="train"), make_utterances(4, seed=3, part="train")
    for one, other in zip(longer, shorter, strict=False):
        assert np.array_equal(one.samples, other.samples)
        assert np.array_equal(one.units, other.units)
    assert not np.array_equal(longer[0].units, make_utterances(1, seed=4, part="train")[0].units)
    assert {utterance.language for utterance in longer} == set(TRAINED)


def test_lips_move_when_the_recording_sounds(tmp_path) -> None:
    for number, utterance in enumerate(make_utterances(4, seed=0, part="test")):
        path = tmp_path / f"{number}.wav"
        write_recording(path, utterance.samples)
        assert np.abs(read_recording(path) - utterance.samples.clip(-1, 1)).max() < 1e-4
        features = SpeechReader().read(path, FPS)
        assert len(features) == len(utterance.units)
        moving = np.abs(utterance.units - utterance.mood).max(axis=1) > 0.1
        # Silence is -1 in the features: the spoken frames are the loud ones.
        loudness = features.features.mean(axis=1)
        assert loudness[moving].mean() > loudness[~moving].mean() + 0.2
        assert len(utterance.samples) / RATE_HZ == pytest.approx(len(utterance.units) / 25, abs=0.04)


def test_unknown_voice_and_missing_library_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no voice 'xx-nobody'"):
        speak([(Voice("xx-nobody"), "hello")])
    monkeypatch.setattr(espeak, "find_spec", lambda name: None)
    monkeypatch.setattr(espeak, "find_library", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'dreamactor-dataset\[speech\]'"):
        speak([(Voice("de"), "hallo")])
