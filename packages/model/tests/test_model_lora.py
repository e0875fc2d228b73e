"""LoRA: adapters add nothing at first, alone learn, and become one model with what they adapt."""

from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import TrainingError, WeightsError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.training import LoraStageSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import load_checkpoint, read_about, save_checkpoint
from dreamactor_model.lora.adapters import adapter_state, add_adapters, merge_adapters
from dreamactor_model.lora.folder import load_adapted, merge_lora, save_adapters
from dreamactor_model.presets import RefinerConfig
from dreamactor_model.refiner import Refiner
from dreamactor_model.training.diffusion.diffusion_stage import initial_actor
from dreamactor_model.training.finished import find_refiner, save_finished, verify_finished
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.stages import prerequisites
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE, awake_actor

ROW = LoraStageSettings(steps=5, rank=3, alpha=6.0)


def _velocity(actor: DreamActor) -> torch.Tensor:
    torch.manual_seed(2)
    inputs = (torch.randn(1, 4, 2, 8, 8), torch.full((1, 2), 0.5), torch.randn(1, 1, 4, 8, 8))
    return actor(*inputs, torch.randn(1, 3, 2, 8, 8), torch.randn(1, 5, 8))


@pytest.fixture
def base() -> DreamActor:
    # Small weights, as trained ones are: large ones would hide a difference in saturated softmaxes.
    actor = awake_actor(MICRO_ACTOR)
    with torch.no_grad():
        for parameter in actor.dit.parameters():
            parameter.mul_(0.5)
    return actor


def _train(actor: DreamActor) -> None:
    optimizer = torch.optim.AdamW([p for p in actor.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        _velocity(actor).square().mean().backward()
        optimizer.step()


def test_adapters_add_nothing_at_first_and_alone_learn(base: DreamActor) -> None:
    plain = _velocity(base)
    before = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    add_adapters(base, ROW.rank, ROW.alpha)
    assert torch.equal(_velocity(base), plain)
    _train(base)
    after = base.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    adapters = adapter_state(base)
    assert after.keys() - before.keys() == adapters.keys()
    # Self and Ref Attn have four projections each, the FFN two; every adapter is two matrices.
    assert len(adapters) == MICRO_ACTOR.layers * (4 + 4 + 2) * 2
    assert all(adapters[name].any() for name in adapters)


def test_merged_equals_base_and_adapters(base: DreamActor) -> None:
    plain = _velocity(base)
    names = base.state_dict().keys()
    add_adapters(base, ROW.rank, ROW.alpha)
    _train(base)
    adapted = _velocity(base)
    merge_adapters(base)
    assert base.state_dict().keys() == names
    scale = adapted.abs().max()
    assert (_velocity(base) - adapted).abs().max() <= 1e-5 * scale
    assert (adapted - plain).abs().max() > 1e-2 * scale


def test_a_merged_folder_is_a_model_like_any_other(base: DreamActor, tmp_path: Path) -> None:
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / "vae", about={})
    save_checkpoint(Refiner(RefinerConfig((8,))), tmp_path / "refiner", about={})
    about, refiner = {"preset": "tiny", "area": 4096}, tmp_path / "refiner"
    save_finished(base, tmp_path / "vae", tmp_path / "base", about=about, refiner_folder=refiner)
    add_adapters(base, ROW.rank, ROW.alpha)
    _train(base)
    save_adapters(base, ROW, tmp_path / "base", tmp_path / "lora")
    assert torch.equal(_velocity(load_adapted(tmp_path / "lora", tmp_path / "base")), _velocity(base))
    merge_lora(tmp_path / "lora", tmp_path / "merged")
    verify_finished(tmp_path / "merged")
    assert find_refiner(tmp_path / "merged") == tmp_path / "merged" / "refiner"
    assert read_about(tmp_path / "merged")["area"] == 4096
    merged = _velocity(load_checkpoint(tmp_path / "merged", DreamActor))
    torch.testing.assert_close(merged, _velocity(base), rtol=1e-5, atol=1e-5)


def test_adapters_of_another_model_are_refused(base: DreamActor, tmp_path: Path) -> None:
    save_checkpoint(base, tmp_path / "base", about={})
    save_checkpoint(base, tmp_path / "other", about={"another": "one"})
    add_adapters(base, ROW.rank, ROW.alpha)
    save_adapters(base, ROW, tmp_path / "base", tmp_path / "lora")
    with pytest.raises(WeightsError, match="another model.*--base"):
        load_adapted(tmp_path / "lora", tmp_path / "other")
    with pytest.raises(WeightsError, match="not adapters"):
        load_adapted(tmp_path / "base", tmp_path / "base")


def test_stage_lora_adapts_the_model_that_the_settings_name(base: DreamActor, tmp_path: Path) -> None:
    settings = load_settings({"training.lora.base": str(tmp_path / "base"), "training.lora.rank": 2})
    with pytest.raises(TrainingError, match="not there"):
        prerequisites(settings.training, "lora")
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / "vae", about={})
    save_finished(base, tmp_path / "vae", tmp_path / "base", about={})
    spec = TrainingSpec(
        stage="lora",
        settings=settings.model_dump(mode="json"),
        manifest=tmp_path / "clips.arrow",
        starts_from=prerequisites(settings.training, "lora"),
        work_dir=tmp_path / "work",
        output=tmp_path / "lora",
        configuration="",
        without_data="",
        checkpoint=None,
    )
    actor = initial_actor(spec)
    learning = {name for name, parameter in actor.named_parameters() if parameter.requires_grad}
    assert learning == adapter_state(actor).keys()
    assert all(tensor.shape[0] == 2 for name, tensor in adapter_state(actor).items() if name.endswith("down_RI"))
