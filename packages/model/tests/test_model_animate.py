"""The whole inference, on a model whose weights are random: what comes out is noise, but its shape must be right."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from dreamactor_core.errors import DecodeError, InputError, WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.footage import footage
from dreamactor_core.image import read_image, write_image
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.video import VideoWriter, probe, read_frames
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate import AnimateRequest, Animator
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.commands import animate as animate_command
from dreamactor_model.presets import get_preset
from dreamactor_model.training.finished import VAE_FOLDER, save_finished
from dreamactor_model.vae import VideoVAE
from typer import Typer
from typer.testing import CliRunner

_FRAMES = 7


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model of the tiny preset with random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    preset = get_preset("tiny")
    save_checkpoint(VideoVAE(preset.vae), folder / VAE_FOLDER, about={})
    about = {"stage": "3", "steps": 0, "preset": "tiny", "area": 64 * 64}
    actor = DreamActor(preset.actor)
    # Untrained, it adds nothing to the warp: no other reference would count.
    torch.nn.init.normal_(actor.dit.proj_out.weight, std=0.05)
    save_finished(actor, folder / VAE_FOLDER, folder / "stage3", about=about)
    return folder / "stage3"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings({"sampling.steps": 1, "sampling.max_frames": _FRAMES, "model.device": "cpu"})


@pytest.fixture(scope="module")
def animator(checkpoint: Path, settings: Settings) -> Animator:
    return Animator.from_checkpoint(checkpoint, settings)


@pytest.fixture
def request_(tmp_path: Path) -> AnimateRequest:
    return AnimateRequest((footage("astronaut"),), footage("smiling-man"), tmp_path / "out.mp4", seed=5)


@pytest.mark.slow
def test_result_has_length_rate_and_sound_of_the_driving_video(animator: Animator, request_: AnimateRequest) -> None:
    result = animator.animate(request_)
    info, driving = probe(result.video), probe(request_.driving)
    assert (info.frame_count, info.fps) == (_FRAMES, driving.fps)
    assert (info.width, info.height) == (64, 64)
    with av.open(str(result.video)) as container:
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert seconds == pytest.approx(_FRAMES / driving.fps, abs=0.08)
    sheet = read_image(result.contact_sheet)
    assert sheet.shape[1] > 4 * 192
    sidecar = json.loads(result.sidecar.read_text())
    assert sidecar["notice"] == "AI-generated"
    assert sidecar["result"]["sha256"] == sha256_file(result.video)
    assert [item["role"] for item in sidecar["inputs"]] == ["reference", "driving"]
    assert sidecar["settings"]["sampling"]["seed"] == 5
    assert sorted(p.name for p in request_.output.parent.iterdir()) == ["out.mp4", "out.mp4.json", "out.sheet.png"]


@pytest.mark.slow
def test_whom_to_follow_is_said_of_the_driving_video_alone(checkpoint: Path, tmp_path: Path) -> None:
    """The reference shows one person; that she is no second one stops nothing."""
    driving = tmp_path / "two.mp4"
    frames = read_frames(footage("two-people"), range(40, 140, 4))
    with VideoWriter(driving, Fraction(25), size=(frames.shape[2], frames.shape[1])) as writer:
        for frame in frames:
            writer.write(frame)
    settings = load_settings({"sampling.steps": 1, "signals.person": 2, "model.device": "cpu"})
    request = AnimateRequest((footage("astronaut"),), driving, tmp_path / "second.mp4")
    assert probe(Animator.from_checkpoint(checkpoint, settings).animate(request).video).frame_count == len(frames)


@pytest.mark.slow
def test_a_seed_names_one_video(animator: Animator, request_: AnimateRequest, tmp_path: Path) -> None:
    """Its pictures, that is: a signature is never the same twice."""
    first = read_frames(animator.animate(request_).video)
    again = read_frames(animator.animate(replace(request_, output=tmp_path / "again.mp4")).video)
    other = read_frames(animator.animate(replace(request_, output=tmp_path / "other.mp4", seed=6)).video)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_several_references_all_reach_the_model(animator: Animator, request_: AnimateRequest, tmp_path: Path) -> None:
    darker = tmp_path / "darker.png"
    write_image(darker, read_image(footage("astronaut")) // 2)
    alone = read_frames(animator.animate(request_).video)
    both = animator.animate(replace(request_, references=(*request_.references, darker)))
    assert len(json.loads(both.sidecar.read_text())["inputs"]) == 3
    assert not np.array_equal(read_frames(both.video), alone)


def test_reference_without_a_person_is_named(animator: Animator, request_: AnimateRequest, tmp_path: Path) -> None:
    empty = tmp_path / "wall.png"
    write_image(empty, np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(InputError, match="wall.png") as caught:
        animator.animate(replace(request_, references=(empty,)))
    assert "image that shows one person" in caught.value.line()
    assert [p.name for p in tmp_path.iterdir()] == ["wall.png"]


def test_unusable_requests_are_refused(request_: AnimateRequest, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        replace(request_, driving=tmp_path / "none.mp4").check()
    with pytest.raises(InputError, match="must be an mp4"):
        replace(request_, output=tmp_path / "out.avi").check()
    with pytest.raises(InputError, match="no reference"):
        replace(request_, references=()).check()


def test_checkpoint_of_another_preset_is_refused(checkpoint: Path) -> None:
    with pytest.raises(WeightsError, match="Add --preset tiny"):
        Animator.from_checkpoint(checkpoint, load_settings({"model.preset": "wan-5b"}))


def test_missing_and_damaged_checkpoints_are_refused(checkpoint: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not a checkpoint"):
        Animator.from_checkpoint(tmp_path, settings)


def _invoke(*words: str) -> Exception | None:
    app = Typer()
    app.command()(animate_command)
    error = CliRunner().invoke(app, list(words)).exception
    return error if isinstance(error, Exception) else None


def test_text_named_as_video_is_refused_before_loading(tmp_path: Path) -> None:
    (tmp_path / "d.mp4").write_text("words")
    words = [
        "--reference",
        str(footage("astronaut")),
        "--driving",
        str(tmp_path / "d.mp4"),
        "-o",
        str(tmp_path / "o.mp4"),
    ]
    error = _invoke(*words)
    assert isinstance(error, DecodeError)
    assert [p.name for p in tmp_path.iterdir()] == ["d.mp4"]


def test_references_may_follow_one_another(tmp_path: Path) -> None:
    error = _invoke(
        "--reference", str(footage("astronaut")), str(tmp_path / "second.png"), "--driving", "d", "-o", "o.mp4"
    )
    assert isinstance(error, InputError)
    assert error.path == tmp_path / "second.png"
