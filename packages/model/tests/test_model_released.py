"""A finished model becomes the one that comes with the package."""

import json
from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.settings.model import RELEASED
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate.loaded import as_trained
from dreamactor_model.audio_weights import find_audio
from dreamactor_model.checkpoint import load_checkpoint, read_about, save_checkpoint
from dreamactor_model.encoders.audio import AudioEncoder
from dreamactor_model.encoders.face_branch import face_branch_sha256
from dreamactor_model.guidance import PAPER_SCALE, GuidanceScales
from dreamactor_model.presets import AudioConfig, RefinerConfig, get_preset
from dreamactor_model.refiner import Refiner
from dreamactor_model.registry import checkpoint_folder
from dreamactor_model.released import packing
from dreamactor_model.released.packing import pack_release
from dreamactor_model.sampling.solver import chosen_steps
from dreamactor_model.sampling.stream import step_count
from dreamactor_model.training.finished import find_refiner, save_finished
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE, awake_actor


@pytest.fixture
def stage3(tmp_path: Path) -> Path:
    """A finished model, refiner and all, with its audio encoder beside it."""
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / "vae", about={})
    save_checkpoint(Refiner(RefinerConfig((8,))), tmp_path / "refiner", about={})
    about = {"stage": "3", "preset": "tiny", "area": 4096, "max_references": 2}
    actor, refiner = awake_actor(MICRO_ACTOR), tmp_path / "refiner"
    save_finished(actor, tmp_path / "vae", tmp_path / "stage3", about=about, refiner_folder=refiner)
    branch = face_branch_sha256(tmp_path / "stage3")
    audio = AudioEncoder(AudioConfig(12, MICRO_ACTOR.face_width, 8, (1, 2)))
    save_checkpoint(audio, tmp_path / "audio", about={"features": "log-mel", "face_branch": branch})
    return tmp_path / "stage3"


def test_a_release_is_one_whole_model_in_half_the_bytes(stage3: Path, tmp_path: Path) -> None:
    released = pack_release(stage3, tmp_path / "released", SamplingSettings(guidance_motion=1.5, steps=3))
    assert checkpoint_folder(TrackingSettings(), str(released)) == released
    # Its own audio encoder still knows the face branch, whose weights stay as they are.
    assert find_audio(released) == released / "audio"
    assert find_refiner(released) == released / "refiner"
    before, after = load_checkpoint(stage3, DreamActor), load_checkpoint(released, DreamActor)
    products = [name for name, tensor in after.state_dict().items() if tensor.dtype == torch.bfloat16]
    assert products
    assert all(name.startswith("dit.") for name in products)
    for name, tensor in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name].float(), tensor, rtol=2**-8, atol=1e-12)
    refiner = load_checkpoint(released / "refiner", Refiner)
    assert {tensor.dtype for tensor in refiner.state_dict().values()} == {torch.bfloat16}
    assert read_about(released / "refiner") == read_about(stage3 / "refiner")
    about = read_about(released)
    assert about["licence"] == "Apache-2.0"
    assert "synthetic" in about["data"]
    assert about["stage"] == "3"
    assert about["sampling"] == {"guidance_motion": 1.5, "steps": 3}


def test_a_model_without_a_voice_is_not_released(stage3: Path, tmp_path: Path) -> None:
    (stage3.parent / "audio" / "config.json").unlink()
    with pytest.raises(WeightsError, match="no audio encoder"):
        pack_release(stage3, tmp_path / "released", SamplingSettings())
    assert not (tmp_path / "released").exists()


def test_too_large_a_model_is_not_released(stage3: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MOST_BYTES", 1000)
    with pytest.raises(WeightsError, match="too many for a package"):
        pack_release(stage3, tmp_path / "released", SamplingSettings())
    assert not (tmp_path / "released").exists()


def test_damaged_weights_are_not_released(stage3: Path, tmp_path: Path) -> None:
    config = json.loads((stage3 / "config.json").read_text())
    (stage3 / "config.json").write_text(json.dumps(config | {"format": 9}))
    with pytest.raises(WeightsError, match="sha256"):
        pack_release(stage3, tmp_path / "released", SamplingSettings())


def test_segments_are_no_longer_than_the_clips_of_the_training() -> None:
    sampling = SamplingSettings(segment_frames=73, steps=4)
    assert as_trained(sampling, {"max_frames": 33}) == sampling.model_copy(update={"segment_frames": 33})
    assert as_trained(sampling, {"max_frames": 121}) == as_trained(sampling, {}) == sampling


def test_guidance_is_what_was_said_then_what_the_weights_came_with_then_the_papers() -> None:
    about = {"sampling": {"guidance_reference": 1.5}}
    for said, reference in ((None, 1.5), (4.0, 4.0)):
        scales = GuidanceScales.chosen(as_trained(SamplingSettings(guidance_reference=said), about))
        assert scales == GuidanceScales(reference, PAPER_SCALE)


def test_steps_are_what_was_said_then_what_the_weights_came_with_then_enough_for_any_model() -> None:
    about = {"sampling": {"steps": 3}}
    for said, released, steps in ((None, about, 3), (7, about, 7), (7, {}, 7), (None, {}, 20)):
        sampling = as_trained(SamplingSettings(steps=said, segment_frames=9), released)
        assert chosen_steps(sampling) == steps
        assert step_count(17, sampling) == 2 * steps


def test_the_released_weights_are_whole_and_small() -> None:
    folder = checkpoint_folder(TrackingSettings(), RELEASED)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 40_000_000
    actor = load_checkpoint(folder, DreamActor)
    assert actor.config == get_preset("tiny").actor
    assert all(torch.isfinite(tensor).all() for tensor in actor.state_dict().values())
    assert find_audio(folder) == folder / "audio"
    about = read_about(folder)
    assert about["max_frames"] == 33
    assert about["data_versions"]
