"""An imported base is the base: `dreamactor model import-wan` on folders as public ones come, against diffusers."""

from pathlib import Path

import dreamactor_model.base.sizes as sizes
import dreamactor_model.presets as presets
import pytest
import torch
from diffusers import WanTransformer3DModel
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers
from dreamactor_model.actor import DreamActor
from dreamactor_model.base.names import diffusers_name
from dreamactor_model.checkpoint import load_checkpoint, read_about
from dreamactor_model.commands import app
from dreamactor_model.dit.layers import TIMESTEP_SCALE
from dreamactor_model.presets import Preset
from dreamactor_model.training.finished import verify_finished
from dreamactor_model.vae import VideoVAE
from safetensors.torch import save_file
from torch import Tensor
from typer.testing import CliRunner
from wan_folders import SMALL_PRESETS, T2V, TEXT_DIM, TI2V, original_name, random_vae, write_diffusers, write_original

FRAMES, ROWS, COLUMNS = 4, 8, 6
LAYOUTS = {
    "diffusers, one file": lambda folder, preset: write_diffusers(folder, preset),
    "diffusers, shards": lambda folder, preset: write_diffusers(folder, preset, shard_size="60KB"),
    "original, one file": lambda folder, preset: write_original(folder, preset),
    "original, shards": lambda folder, preset: write_original(folder, preset, files=3),
    "original, prefixed": lambda folder, preset: write_original(folder, preset, prefix="model.diffusion_model."),
}


@pytest.fixture(autouse=True)
def small_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bases of no public size count as presets."""
    monkeypatch.setattr(presets, "PRESETS", SMALL_PRESETS)
    monkeypatch.setattr(sizes, "PRESETS", SMALL_PRESETS)


def _import(base: Path, output: Path, *options: str) -> None:
    result = CliRunner().invoke(app, ["import-wan", str(base), "-o", str(output), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def _relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def _prompt_file(folder: Path) -> tuple[Path, Tensor]:
    """An embedding of five tokens, and what the base sees of it: zeros after them."""
    words_SC = torch.randn(5, TEXT_DIM, generator=torch.Generator().manual_seed(5))
    save_file({"prompt": words_SC[None].contiguous()}, folder / "prompt.safetensors")
    return folder / "prompt.safetensors", torch.cat([words_SC, torch.zeros(3, TEXT_DIM)])


def _make(layout: str, preset: Preset, folder: Path) -> tuple[WanTransformer3DModel, DreamActor, Tensor]:
    wan = LAYOUTS[layout](folder / "base", preset)
    random_vae(preset.vae).save_pretrained(folder / "vae")
    prompt, text_SC = _prompt_file(folder)
    _import(folder / "base", folder / "out", "--vae", str(folder / "vae"), "--prompt-embedding", str(prompt))
    return wan, load_checkpoint(folder / "out", DreamActor), text_SC


@pytest.mark.parametrize("preset", [T2V, TI2V], ids=lambda preset: preset.name)
@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_the_imported_model_equals_its_base(layout: str, preset: Preset, tmp_path: Path) -> None:
    """At one timestep for all tokens, and at one a frame as the image-to-video use of a base has it."""
    wan, actor, text_SC = _make(layout, preset, tmp_path)
    assert actor.config == preset.actor
    generator = torch.Generator().manual_seed(7)
    latents = torch.randn(2, preset.actor.latent_channels, FRAMES, ROWS, COLUMNS, generator=generator)
    text = text_SC.expand(2, -1, -1)

    times_B = torch.tensor([0.25, 0.9])
    theirs = wan(latents, times_B * TIMESTEP_SCALE, text).sample
    assert _relative(actor(latents, times_B[:, None].expand(-1, FRAMES)), theirs) < 1e-5

    times_BF = torch.rand(2, FRAMES, generator=generator)
    times_BF[:, 0] = 0
    times_BL = (times_BF * TIMESTEP_SCALE).repeat_interleave(ROWS * COLUMNS // 4, dim=1)
    theirs = wan(latents, times_BL, text).sample
    assert _relative(actor(latents, times_BF), theirs) < 1e-5

    pose = torch.randn(2, preset.actor.pose_channels, FRAMES, ROWS, COLUMNS, generator=generator)
    face = torch.randn(2, 4 * FRAMES - 3, preset.actor.face_width, generator=generator)
    assert torch.equal(actor(latents, times_BF, None, pose, face), actor(latents, times_BF)), "new branches add zero"


def test_new_branches_are_zero_at_their_output_only(tmp_path: Path) -> None:
    _, actor, _ = _make("diffusers, one file", T2V, tmp_path)
    for block in actor.dit.blocks:
        for part in ("to_q", "to_k", "to_v", "norm_q", "norm_k"):
            assert torch.equal(getattr(block.ref_attn, part).weight, getattr(block.attn1, part).weight)
        for branch in (block.ref_attn, block.face_attn):
            assert not branch.to_out[0].weight.any()
            assert not branch.to_out[0].bias.any()
        for part in ("to_q", "to_k", "to_v"):
            assert getattr(block.face_attn, part).weight.std() > 0.01
        assert torch.equal(block.norm_face.weight, torch.ones(T2V.actor.dim))
    first, second = (block.face_attn.to_q.weight for block in actor.dit.blocks[:2])
    assert not torch.equal(first, second)
    assert not actor.dit.patch_embedding.weight[:, T2V.actor.latent_channels :].any()
    assert all(parameter.any() for name, parameter in actor.pose_encoder.named_parameters() if "weight" in name)


def test_the_result_is_a_whole_model_that_says_where_it_comes_from(tmp_path: Path) -> None:
    write_diffusers(tmp_path / "base", TI2V, shard_size="60KB")
    _import(tmp_path / "base", tmp_path / "out", "--no-prompt", "--seed", "3")
    verify_finished(tmp_path / "out")
    about = read_about(tmp_path / "out")
    assert (about["preset"], about["seed"], about["prompt"]) == ("small-ti2v", 3, "none: zeros")
    shards = {path.name for path in (tmp_path / "base" / "transformer").glob("*.safetensors")}
    assert len(shards) > 2
    assert about["imported_from"].keys() == shards
    vae = load_checkpoint(tmp_path / "out" / "vae", VideoVAE)
    assert vae.config == TI2V.vae
    assert vae.latents_std_C[0] == 0.5
    assert not load_checkpoint(tmp_path / "out", DreamActor).dit.prompt_SC.any()


def test_equal_seeds_give_equal_newborn_parts(tmp_path: Path) -> None:
    write_diffusers(tmp_path / "base", T2V)
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        _import(tmp_path / "base", tmp_path / name, "--no-prompt", "--seed", seed)
    first, again, other = (load_checkpoint(tmp_path / name, DreamActor).state_dict() for name in "abc")
    assert all(torch.equal(first[name], again[name]) for name in first)
    changed = {name.split(".")[0] for name in first if not torch.equal(first[name], other[name])}
    assert changed == {"pose_encoder", "face_encoder", "face_mlp", "dit"}
    assert torch.equal(first["dit.blocks.0.attn1.to_q.weight"], other["dit.blocks.0.attn1.to_q.weight"])


@pytest.mark.parametrize(("precision", "expected"), [("keep", torch.bfloat16), ("float32", torch.float32)])
def test_a_half_precision_base_stays_one_unless_told_otherwise(
    precision: str, expected: torch.dtype, tmp_path: Path
) -> None:
    """Times, norms and modulation stay in single precision, as public editions keep them; so do our encoders."""
    wan = write_diffusers(tmp_path / "base", T2V)
    state = wan.state_dict()
    for name, tensor in state.items():
        if not any(part in name for part in WanTransformer3DModel._keep_in_fp32_modules):
            state[name] = tensor.to(torch.bfloat16)
    save_file(state, tmp_path / "base" / "transformer" / "diffusion_pytorch_model.safetensors")
    _import(tmp_path / "base", tmp_path / "out", "--no-prompt", "--precision", precision)
    actor = load_checkpoint(tmp_path / "out", DreamActor)
    assert actor.dit.blocks[0].attn1.to_q.weight.dtype == expected
    assert torch.equal(actor.dit.proj_out.weight, wan.proj_out.weight.to(torch.bfloat16).to(expected))
    assert torch.equal(actor.dit.scale_shift_table, wan.scale_shift_table)
    assert {parameter.dtype for parameter in actor.pose_encoder.parameters()} == {torch.float32}


def test_names_are_diffusers_own() -> None:
    """The table of names against the converter that diffusers has."""
    names = list(WanTransformer3DModel(num_layers=2, num_attention_heads=2, attention_head_dim=12).state_dict())
    originals = [original_name(name) for name in names]
    assert [diffusers_name(name) for name in originals] == names
    converted = convert_wan_transformer_to_diffusers({name: torch.empty(0) for name in originals})
    assert set(converted) == set(names)
