"""What `dreamactor model import-wan` refuses: each in one line that says what to do, and nothing is left behind."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import dreamactor_model.base.sizes as sizes
import dreamactor_model.presets as presets
import pytest
import torch
from dreamactor_core.errors import DreamactorError
from dreamactor_model.commands import app
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner
from wan_folders import SMALL_PRESETS, T2V, TI2V, random_vae, random_wan, write_diffusers, write_original


@pytest.fixture(autouse=True)
def small_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "PRESETS", SMALL_PRESETS)
    monkeypatch.setattr(sizes, "PRESETS", SMALL_PRESETS)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_diffusers(tmp_path / "base", T2V, shard_size="60KB")
    return tmp_path / "base"


def _refusal(base: Path, *options: str) -> str:
    """What the command says instead of importing."""
    output = base.parent / "out"
    arguments = ["import-wan", str(base), "-o", str(output), *(options or ["--no-prompt"])]
    with pytest.raises(DreamactorError) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    return str(caught.value)


def _left(base: Path) -> list[Path]:
    """What lies where the imported base would."""
    return [*base.parent.glob("out"), *base.parent.glob(".out*")]


def _first_shard(base: Path) -> Path:
    return sorted((base / "transformer").glob("*.safetensors"))[0]


def _cut_short(base: Path) -> None:
    shard = _first_shard(base)
    shard.write_bytes(shard.read_bytes()[:-10])


def _lose_shard(base: Path) -> None:
    _first_shard(base).unlink()


def _lose_shard_and_index(base: Path) -> None:
    _lose_shard(base)
    next((base / "transformer").glob("*.index.json")).unlink()


def _spoil_index(base: Path) -> None:
    next((base / "transformer").glob("*.index.json")).write_text("[1")


def _spoil_config(base: Path) -> None:
    (base / "transformer" / "config.json").write_text("{")


def _two_sets(base: Path) -> None:
    next((base / "transformer").glob("*.index.json")).unlink()
    save_file({"a": torch.zeros(1)}, base / "transformer" / "other.safetensors")


def _pickles_only(base: Path) -> None:
    for path in (base / "transformer").iterdir():
        path.unlink()
    (base / "transformer" / "Wan.pth").write_bytes(b"\x80\x02.")


def _nothing(base: Path) -> None:
    for path in (base / "transformer").iterdir():
        path.unlink()


def _second_transformer(base: Path) -> None:
    (base / "transformer_2").mkdir()


def _no_vae(base: Path) -> None:
    (base / "vae").rename(base / "elsewhere")


def _pickled_vae(base: Path) -> None:
    (base / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save({}, base / "vae" / "diffusion_pytorch_model.bin")


def _other_vae(base: Path) -> None:
    random_vae(TI2V.vae).save_pretrained(base / "vae")


def _edit_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def spoil(base: Path) -> None:
        for path in (base / "transformer").iterdir():
            if path.name != "config.json":
                path.unlink()
        state = {name: tensor.clone() for name, tensor in random_wan(T2V.actor).state_dict().items()}
        change(state)
        save_file(state, base / "transformer" / "diffusion_pytorch_model.safetensors")

    return spoil


def _heads(base: Path) -> None:
    path = base / "transformer" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_attention_heads": 4}))


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a shard cut short": (_cut_short, r"00001-of-.*not a whole safetensors file.*download it again"),
    "a shard lost": (_lose_shard, r"00001-of-.*index names this file, which is not there"),
    "a shard and the index lost": (_lose_shard_and_index, r"\d of \d shards are here"),
    "a damaged index": (_spoil_index, "index.json: not JSON"),
    "a damaged config": (_spoil_config, "config.json: not JSON"),
    "two sets of weights": (_two_sets, r"several sets of weights.*Give one file"),
    "pickles": (_pickles_only, r"Wan\.pth: a pickle can run any program.*safetensors edition"),
    "an empty folder": (_nothing, "no safetensors files here"),
    "two transformers": (_second_transformer, "two transformers"),
    "no VAE": (_no_vae, "VAE is not here.*Add --vae DIR"),
    "a pickled VAE": (_pickled_vae, "not an AutoencoderKLWan"),
    "another base's VAE": (_other_vae, "makes 48 channels at 1/16 of the side, the base reads 16 at 1/8"),
    "other heads": (_heads, "no preset has these sizes.*heads 4"),
    "a tensor missing": (
        _edit_weights(lambda state: state.pop("blocks.1.attn2.norm_k.weight")),
        r"lacks blocks\.1\.attn2\.norm_k\.weight",
    ),
    "a tensor too much": (
        _edit_weights(lambda state: state.update({"blocks.1.extra.weight": torch.zeros(1)})),
        r"too much: blocks\.1\.extra\.weight",
    ),
    "a tensor of another shape": (
        _edit_weights(lambda state: state.update({"blocks.2.ffn.net.2.bias": torch.zeros(5)})),
        r"other shapes.*blocks\.2\.ffn\.net\.2\.bias",
    ),
    "no numbers": (
        _edit_weights(lambda state: state["proj_out.weight"].fill_(float("nan"))),
        r"proj_out\.weight holds values that are no numbers",
    ),
    "eight-bit weights": (
        _edit_weights(lambda state: state.update({"proj_out.bias": torch.zeros(64, dtype=torch.float8_e4m3fn)})),
        "F8_E4M3.*F32, BF16 or F16",
    ),
    "an image-to-video base": (
        _edit_weights(lambda state: state.update({"patch_embedding.weight": torch.zeros(48, 36, 1, 2, 2)})),
        "image-to-video base .it reads 36 channels and writes 16.*text-to-video base of this size",
    ),
    "a CLIP branch": (
        _edit_weights(lambda state: state.update({"blocks.0.attn2.add_k_proj.weight": torch.zeros(48, 48)})),
        "image-to-video base .it has a CLIP image branch",
    ),
    "a model built on Wan": (
        _edit_weights(lambda state: state.update({"vace_blocks.0.proj_in.weight": torch.zeros(1)})),
        "is VACE, a model built on Wan",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_base_that_cannot_be_imported_is_refused(case: str, base: Path) -> None:
    spoil, message = SPOILT[case]
    spoil(base)
    assert re.search(message, _refusal(base))
    assert not _left(base)


def test_files_that_are_no_base_are_refused(tmp_path: Path) -> None:
    assert "no such file or folder" in _refusal(tmp_path / "nowhere")
    write_original(tmp_path / "original", T2V)
    path = tmp_path / "original" / "diffusion_pytorch_model.safetensors"
    save_file({"encoder.weight": load_file(path)["head.head.bias"]}, path)
    assert "not a Wan transformer" in _refusal(tmp_path / "original")
    (tmp_path / "weights.pth").write_bytes(b"\x80\x02.")
    assert "pickle" in _refusal(tmp_path / "weights.pth")
    (tmp_path / "weights.safetensors").write_bytes(b"\x80\x02.")
    assert "not a whole safetensors file" in _refusal(tmp_path / "weights.safetensors")
    assert not _left(path.parent)


def test_the_preset_must_be_the_base_s(base: Path) -> None:
    refusal = _refusal(base, "--preset", "small-ti2v")
    assert "does not fit the preset small-ti2v: latent_channels 16 instead of 48" in refusal
    assert not _left(base)


def test_a_prompt_must_be_had(base: Path) -> None:
    refusal = _refusal(base, "--prompt", "a person")
    assert re.search("no text_encoder/ to embed the prompt with.*--prompt-embedding.*--no-prompt", refusal)
    assert "exclude each other" in _refusal(base, "--no-prompt", "--prompt", "a person")
    assert not _left(base)


def test_the_prompt_s_embedding_must_be_one(base: Path, tmp_path: Path) -> None:
    assert "no such file" in _refusal(base, "--prompt-embedding", str(tmp_path / "none.safetensors"))
    prompt = tmp_path / "prompt.safetensors"
    for shape in ((5, 13), (9, 12), (2, 5, 12)):
        save_file({"prompt": torch.zeros(shape)}, prompt)
        assert "up to 8 x 12, not" in _refusal(base, "--prompt-embedding", str(prompt))
    save_file({"a": torch.zeros(5, 12), "b": torch.zeros(5, 12)}, prompt)
    assert "holds 2 tensors" in _refusal(base, "--prompt-embedding", str(prompt))
    assert not _left(base)


def test_a_folder_that_is_no_checkpoint_is_never_replaced(base: Path) -> None:
    (base.parent / "precious").mkdir()
    (base.parent / "precious" / "file").write_text("kept")
    arguments = ["import-wan", str(base), "-o", str(base.parent / "precious"), "--no-prompt"]
    with pytest.raises(DreamactorError, match="exists and is no checkpoint"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert (base.parent / "precious" / "file").read_text() == "kept"
