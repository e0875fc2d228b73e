"""Training that starts from an imported base: its VAE is taken over, stage 1 begins with its weights."""

import dataclasses
from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file
from dreamactor_core.settings import Settings, load_settings
from dreamactor_model.actor import DreamActor, parameter_group
from dreamactor_model.checkpoint import load_checkpoint, save_checkpoint, verify_checkpoint
from dreamactor_model.encoders.face import FaceMotionEncoder
from dreamactor_model.presets import get_preset
from dreamactor_model.training.diffusion.diffusion_stage import initial_actor
from dreamactor_model.training.finished import VAE_FOLDER, save_finished
from dreamactor_model.training.run.launch import train_stage
from dreamactor_model.training.spec import TrainingSpec, configuration_hash
from dreamactor_model.training.stages import Stage
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_VAE

TINY = get_preset("tiny").actor


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("manifest.parquet").write_text("clips")


@pytest.fixture
def settings() -> Settings:
    return load_settings({"training.base": "models/base"})


def _write_base(seed: int = 0, **changes: object) -> DreamActor:
    torch.manual_seed(seed)
    save_checkpoint(VideoVAE(MICRO_VAE), Path("some-vae"), about={})
    actor = DreamActor(dataclasses.replace(TINY, **changes)).to(torch.bfloat16)
    save_finished(actor, Path("some-vae"), Path("models/base"), about={"preset": "tiny"})
    return actor


def _spec(settings: Settings) -> TrainingSpec:
    save_checkpoint(FaceMotionEncoder(TINY), Path("models/face"), about={})
    return TrainingSpec(
        stage="1",
        settings=settings.model_dump(mode="json"),
        manifest=Path("manifest.parquet"),
        starts_from={"vae": Path("models/vae"), "face": Path("models/face")},
        work_dir=Path("runs"),
        output=Path("models/stage1"),
        configuration="base",
        without_data="base",
        checkpoint=None,
    )


def test_stage_vae_takes_over_the_base_s(settings: Settings) -> None:
    _write_base()
    done = train_stage(settings, "vae", Path("manifest.parquet"))
    assert done.weights == Path("models/vae")
    verify_checkpoint(done.weights)
    assert sha256_file("models/vae/manifest.json") == sha256_file(f"models/base/{VAE_FOLDER}/manifest.json")
    assert load_checkpoint("models/vae", VideoVAE).config == MICRO_VAE
    assert sorted(path.name for path in Path("reports/training/vae").iterdir()) == ["loss.csv", "metrics.json"]


def test_stage_1_begins_with_the_base_and_the_pretrained_face_encoder(settings: Settings) -> None:
    base = _write_base()
    spec = _spec(settings)
    actor = initial_actor(spec)
    assert actor.training
    assert {parameter.dtype for parameter in actor.parameters()} == {torch.float32}
    assert torch.equal(actor.dit.proj_out.weight, base.dit.proj_out.weight.float())
    pretrained = load_checkpoint("models/face", FaceMotionEncoder)
    assert torch.equal(actor.face_encoder.readout.weight, pretrained.readout.weight)
    learning = {name for name, parameter in actor.named_parameters() if parameter.requires_grad}
    assert learning == {name for name, _ in actor.named_parameters() if parameter_group(name) == "base"}


def test_a_base_that_has_never_read_a_warp_learns_to(settings: Settings) -> None:
    base = _write_base(reference_warp=False)
    actor = initial_actor(_spec(settings))
    assert actor.config == actor.dit.config == TINY
    known = base.dit.patch_embedding.weight.shape[1]
    assert torch.equal(actor.dit.patch_embedding.weight[:, :known], base.dit.patch_embedding.weight.float())
    assert actor.dit.patch_embedding.weight.shape[1] == known + TINY.latent_channels
    assert not actor.dit.patch_embedding.weight[:, known:].any()
    assert actor.training


def test_stage_1_decides_whether_references_look_at_the_video(settings: Settings) -> None:
    _write_base()
    causal = settings.training.model_copy(update={"reference_attention": "causal"})
    spec = _spec(settings.model_copy(update={"training": causal}))
    actor = initial_actor(spec)
    assert actor.config.reference_attention == actor.dit.config.reference_attention == "causal"
    save_checkpoint(actor, "models/stage1", about={})
    assert load_checkpoint("models/stage1", DreamActor).dit.config.reference_attention == "causal"


def test_another_base_makes_another_run_of_stage_1_alone(settings: Settings) -> None:
    hashes: dict[Stage, set[str]] = {"face": set(), "1": set(), "2": set()}
    for seed in (0, 1):
        _write_base(seed)
        for stage, found in hashes.items():
            found.add(configuration_hash(settings, stage, Path("manifest.parquet"), {}))
    assert {stage: len(found) for stage, found in hashes.items()} == {"face": 1, "1": 2, "2": 1}


def test_a_base_that_is_missing_or_of_another_preset_is_refused(settings: Settings) -> None:
    with pytest.raises(TrainingError, match="import-wan DIR -o models/base"):
        train_stage(settings, "vae", Path("manifest.parquet"))
    spec = _spec(settings)
    with pytest.raises(TrainingError, match="import-wan DIR -o models/base"):
        initial_actor(spec)
    _write_base(layers=2)
    with pytest.raises(TrainingError, match="another preset than tiny"):
        initial_actor(spec)
