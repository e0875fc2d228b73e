"""Whisper, wav2vec2 and HuBERT: the real loading code on tiny checkpoints of the same layout, made here."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import WeightsError
from dreamactor_signals.speech.pretrained import PretrainedSpeech

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

FPS = Fraction(25)
KINDS = ("whisper", "wav2vec2", "hubert")


def _whisper() -> object:
    config = transformers.WhisperConfig(
        vocab_size=32, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_source_positions=100,
        max_target_positions=8, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    # As it is published: with the head on top.
    return transformers.WhisperForConditionalGeneration(config)


def _waveform(kind: str) -> object:
    sizes = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
        "conv_dim": (8,) * 7, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2,
    }  # fmt: skip
    if kind == "wav2vec2":
        return transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(vocab_size=8, **sizes))
    return transformers.HubertModel(transformers.HubertConfig(**sizes))


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders by kind."""
    folders = {}
    for kind in KINDS:
        torch.manual_seed(1)
        folders[kind] = tmp_path_factory.mktemp(kind)
        model = _whisper() if kind == "whisper" else _waveform(kind)
        model.save_pretrained(folders[kind])
    return folders


def _noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.1, size=round(16000 * seconds)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_becomes_one_vector_a_frame(checkpoints: dict[str, Path], kind: str) -> None:
    network = PretrainedSpeech(checkpoints[kind])
    features = network.features(_noise(1.0), FPS, 30)
    assert features.shape == (30, 16)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert network.name.startswith(f"{kind} ")
    np.testing.assert_array_equal(features, PretrainedSpeech(checkpoints[kind]).features(_noise(1.0), FPS, 30))
    assert np.abs(features - network.features(_noise(1.0, seed=1), FPS, 30)).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_silence_and_very_short_recordings_are_finite(checkpoints: dict[str, Path], kind: str) -> None:
    network = PretrainedSpeech(checkpoints[kind])
    assert np.isfinite(network.features(np.zeros(16000, np.float32), FPS, 25)).all()
    assert np.isfinite(network.features(_noise(0.001), FPS, 1)).all()


def test_features_are_those_of_the_model_itself(checkpoints: dict[str, Path]) -> None:
    sound = _noise(1.0)
    model = transformers.HubertModel.from_pretrained(checkpoints["hubert"]).eval()
    normal = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    with torch.inference_mode():
        steps = model(torch.from_numpy(np.pad(normal, (0, 80)))[None]).last_hidden_state[0].numpy()
    assert len(steps) == 50
    # At 50 frames a second frame t lasts from step t - 0.125 (its middle is at sample 320 t + 200) to t + 0.875.
    found = PretrainedSpeech(checkpoints["hubert"]).features(sound, Fraction(50), 50)
    at = np.clip(np.arange(50)[:, None] + (np.arange(4) + 0.5) / 4 - 200 / 320, 0, 49)
    wanted = np.stack([np.interp(at.ravel(), np.arange(50), steps[:, c]) for c in range(16)], axis=1)
    np.testing.assert_allclose(found, wanted.reshape(50, 4, 16).mean(axis=1), atol=1e-5)


def test_windows_of_a_long_recording_fit_together(checkpoints: dict[str, Path]) -> None:
    # Whisper hears 2 s at once here, and a third of it is margin: a burst at 5 s is heard from 3.3 to 6.9 s at most.
    network = PretrainedSpeech(checkpoints["whisper"])
    sound = np.zeros(16000 * 9, np.float32)
    quiet = network.features(sound, FPS, 225)
    sound[16000 * 5 : 16000 * 5 + 3200] = _noise(0.2)
    change = np.abs(network.features(sound, FPS, 225) - quiet).max(axis=1)
    assert 124 <= change.argmax() <= 131
    assert change[:83].max() < 1e-5
    assert change[172:].max() < 1e-5


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("no config", "no config.json"),
        ("bad config", "not JSON"),
        ("other kind", "a bert model is no speech encoder"),
        ("no weights", "no model.safetensors"),
        ("cut weights", "cannot be loaded"),
        ("missing weights", "weights are missing"),
    ],
)
def test_bad_checkpoints_are_refused_by_name(
    checkpoints: dict[str, Path], tmp_path: Path, damage: str, problem: str
) -> None:
    from safetensors.torch import load_file, save_file

    config = (checkpoints["hubert"] / "config.json").read_text()
    weights = (checkpoints["hubert"] / "model.safetensors").read_bytes()
    if damage == "bad config":
        config = config[:40]
    if damage == "other kind":
        config = json.dumps({"model_type": "bert"})
    if damage == "cut weights":
        weights = weights[:-100]
    if damage != "no config":
        (tmp_path / "config.json").write_text(config)
    if damage == "missing weights":
        tensors = load_file(checkpoints["hubert"] / "model.safetensors")
        kept = {name: tensor for name, tensor in tensors.items() if "encoder.layers.0.attention" not in name}
        save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    elif damage != "no weights":
        (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(WeightsError, match=problem) as caught:
        PretrainedSpeech(tmp_path)
    assert caught.value.path in (tmp_path, tmp_path / "config.json")


def test_without_transformers_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dreamactor_signals.speech.pretrained.find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"dreamactor-signals\[speech\]"):
        PretrainedSpeech(tmp_path)
