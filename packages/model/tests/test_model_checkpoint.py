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
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

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


def _mend_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: sha256_file(folder / name) for name in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _rewrite_config(folder: Path, **changes: object) -> None:
    """Change config.json as one who also mends the manifest would."""
    config = json.loads((folder / "config.json").read_text())
    for key, value in changes.items():
        target = config if key in config else config["config"]
        target[key] = value
    (folder / "config.json").write_text(json.dumps(config))
    _mend_manifest(folder)


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


def _rewrite_weights(folder: Path, changes: dict[str, Tensor | None]) -> None:
    """Change the one file of weights as one who also mends the manifest would; None drops a tensor."""
    weights = {**load_file(folder / "model.safetensors"), **changes}
    kept = {name: tensor.clone() for name, tensor in weights.items() if tensor is not None}
    save_file(kept, folder / "model.safetensors")
    _mend_manifest(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dit.proj_out.bias": None}, r"missing: dit\.proj_out\.bias"),
        ({"dit.proj_in.bias": torch.zeros(3)}, r"unknown: dit\.proj_in\.bias"),
        ({"dit.proj_out.bias": torch.zeros(3)}, r"of another shape: dit\.proj_out\.bias"),
    ],
)
def test_tensors_that_do_not_fit_are_named(folder: Path, changes: dict[str, Tensor | None], message: str) -> None:
    _rewrite_weights(folder, changes)
    with pytest.raises(WeightsError, match=message):
        load_checkpoint(folder, DreamActor)


def test_a_file_cut_short_is_refused_even_with_a_mended_manifest(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    _mend_manifest(folder)
    with pytest.raises(WeightsError, match=r"model\.safetensors: not a whole safetensors file"):
        load_checkpoint(folder, DreamActor)


def test_a_large_model_is_several_files_and_the_same_model(tmp_path: Path) -> None:
    actor = DreamActor(CONFIG)
    size = sum(tensor.numel() * 4 for tensor in actor.state_dict().values())
    save_checkpoint(actor, tmp_path / "actor", about={}, shard_bytes=size // 3)
    shards = sorted((tmp_path / "actor").glob("*.safetensors"))
    assert [path.name for path in shards] == [
        f"model-{n:05d}-of-{len(shards):05d}.safetensors" for n in range(1, len(shards) + 1)
    ]
    assert len(shards) in (3, 4)
    assert all(sum(t.nbytes for t in load_file(path).values()) <= size // 3 for path in shards)
    _assert_same(load_checkpoint(tmp_path / "actor", DreamActor), actor)


def test_the_index_names_every_tensor_s_file_as_other_tools_expect(tmp_path: Path) -> None:
    actor = DreamActor(CONFIG)
    save_checkpoint(actor, tmp_path / "actor", about={}, shard_bytes=100_000)
    index = json.loads((tmp_path / "actor" / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == actor.state_dict().keys()
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in actor.state_dict().values())
    for name, file in index["weight_map"].items():
        with safe_open(tmp_path / "actor" / file, framework="pt") as opened:
            assert name in opened.keys()  # noqa: SIM118 - not a mapping


@pytest.mark.parametrize("lost", ["model-00002-of-00003.safetensors", "model.safetensors.index.json"])
def test_a_lost_or_changed_shard_is_named(tmp_path: Path, lost: str) -> None:
    actor = DreamActor(CONFIG)
    save_checkpoint(actor, tmp_path / "actor", about={}, shard_bytes=_third(actor))
    path = tmp_path / "actor" / lost
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WeightsError, match=rf"{lost}.*sha256"):
        load_checkpoint(tmp_path / "actor", DreamActor)
    path.unlink()
    with pytest.raises(WeightsError, match=rf"{lost}.*lacks"):
        load_checkpoint(tmp_path / "actor", DreamActor)


def test_types_are_kept(tmp_path: Path) -> None:
    actor = DreamActor(CONFIG).to(torch.bfloat16)
    actor.dit.scale_shift_table.data = actor.dit.scale_shift_table.data.double()
    save_checkpoint(actor, tmp_path / "actor", about={})
    loaded = load_checkpoint(tmp_path / "actor", DreamActor)
    assert loaded.dit.scale_shift_table.dtype == torch.float64
    assert loaded.dit.proj_out.weight.dtype == torch.bfloat16
    assert loaded.dit.proj_out.weight.requires_grad
    _assert_same(loaded, actor)


def _third(actor: DreamActor) -> int:
    """A shard size that makes three files."""
    return int(sum(tensor.nbytes for tensor in actor.state_dict().values()) * 0.45)


def _assert_same(ours: DreamActor, theirs: DreamActor) -> None:
    state = theirs.state_dict()
    assert ours.state_dict().keys() == state.keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in ours.state_dict().items())
