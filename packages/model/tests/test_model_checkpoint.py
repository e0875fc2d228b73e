"""Checkpoints: whole or absent, and refused when anything does not fit."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import load_checkpoint, read_about, save_checkpoint
from dreamactor_model.encoders.face import FaceMotionEncoder
from dreamactor_model.presets import VAEConfig, get_preset
from dreamactor_model.vae import VideoVAE

CONFIG = dataclasses.replace(get_preset("tiny").actor, dim=24, layers=1, heads=2, ffn_dim=32, face_width=8, face_stem=8)
VAE = VAEConfig(
    latent_channels=4,
    base_dim=4,
    decoder_base_dim=4,
    dim_mult=(1, 2),
    residual_blocks=1,
    temporal_downsample=(True,),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_checkpoint(DreamActor(CONFIG), tmp_path / "actor", about={"stage": 1, "step": 40})
    return tmp_path / "actor"


def _rewrite_config(folder: Path, **changes: object) -> None:
    """Change config.json as one who also mends the manifest would."""
    config = json.loads((folder / "config.json").read_text())
    for key, value in changes.items():
        target = config if key in config else config["config"]
        target[key] = value
    (folder / "config.json").write_text(json.dumps(config))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["config.json"] = sha256_file(folder / "config.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("model", [DreamActor(CONFIG), VideoVAE(VAE), FaceMotionEncoder(CONFIG)])
def test_what_is_saved_is_loaded(model: DreamActor | VideoVAE | FaceMotionEncoder, tmp_path: Path) -> None:
    if isinstance(model, VideoVAE):
        model.set_statistics(torch.arange(4.0), torch.arange(1.0, 5.0))
    save_checkpoint(model, tmp_path / "saved", about={})
    loaded = load_checkpoint(tmp_path / "saved", type(model))
    assert loaded.config == model.config
    assert not loaded.training
    ours, theirs = model.state_dict(), loaded.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_checkpoint_tells_how_it_came_to_be(folder: Path) -> None:
    assert read_about(folder) == {"stage": 1, "step": 40}
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "manifest.json", "model.safetensors"]


def test_a_new_one_replaces_the_old(folder: Path) -> None:
    save_checkpoint(DreamActor(CONFIG), folder, about={"step": 80})
    assert read_about(folder) == {"step": 80}
    assert [path.name for path in folder.parent.iterdir()] == ["actor"]


def test_a_failed_save_leaves_the_old_one(folder: Path) -> None:
    with pytest.raises(TypeError, match="not iterable"):
        save_checkpoint(DreamActor(CONFIG), folder, about=None)  # type: ignore[arg-type]
    unwritable = {"step": float("nan"), 1: "one", "a": "two"}  # keys that cannot be sorted
    with pytest.raises(TypeError, match="not supported"):
        save_checkpoint(DreamActor(CONFIG), folder, about=unwritable)  # type: ignore[arg-type]
    assert read_about(folder)["step"] == 40
    assert [path.name for path in folder.parent.iterdir()] == ["actor"]


def test_changed_weights_are_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(WeightsError, match=r"model\.safetensors.*sha256"):
        load_checkpoint(folder, DreamActor)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "manifest.json"])
def test_a_lost_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(WeightsError, match=name):
        load_checkpoint(folder, DreamActor)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {}}', '{"files": {"config.json": "00"}}'])
def test_a_damaged_manifest_is_refused(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(WeightsError, match="manifest is damaged"):
        load_checkpoint(folder, DreamActor)


def test_another_kind_of_model_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsError, match="kind 'actor', not 'vae'"):
        load_checkpoint(folder, VideoVAE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format 2"),
        ({"ffn_dim": 48}, "do not fit"),
        ({"layers": 2}, "do not fit"),
        ({"unheard_of": 1}, "another version"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    _rewrite_config(folder, **changes)
    with pytest.raises(WeightsError, match=message):
        load_checkpoint(folder, DreamActor)
