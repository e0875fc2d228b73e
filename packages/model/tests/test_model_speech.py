"""Driving by speech: the encoder, what it learns from, and videos of an untrained model that speaks."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from dreamactor_core.errors import DecodeError, InputError, WeightsError
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.footage import footage
from dreamactor_core.image import read_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.training import AudioStageSettings
from dreamactor_core.video import probe, read_frames
from dreamactor_dataset.synthetic.speech.utterances import write_recording
from dreamactor_model.actor import DreamActor
from dreamactor_model.animate import AnimateRequest, Animator
from dreamactor_model.animate.speech import SpeechDriver, Spoken, at_rate, held_pose
from dreamactor_model.audio_weights import find_audio
from dreamactor_model.checkpoint import load_checkpoint, save_checkpoint
from dreamactor_model.encoders.audio import AudioEncoder
from dreamactor_model.encoders.face_branch import FaceBranch, face_branch_sha256, load_face_branch
from dreamactor_model.presets import AudioConfig, get_preset
from dreamactor_model.training.audio.audio_stage import AudioObjective, AudioTask
from dreamactor_model.training.audio.speech_set import ShownUnits, SpeechSet, SpokenFeatures, load_speech
from dreamactor_model.training.audio.token_map import fit_token_map
from dreamactor_model.training.finished import VAE_FOLDER, save_finished
from dreamactor_model.training.run.launch import train_stage
from dreamactor_model.vae import VideoVAE
from dreamactor_signals.head_angles import angles_of_rotation
from dreamactor_signals.speech.log_mel import BANDS, CONTEXT_S
from torch import Tensor

_CONFIG = AudioConfig(feature_width=6, token_width=5, width=16, dilations=(1, 2))
_K = _CONFIG.context


def _awake(encoder: AudioEncoder) -> AudioEncoder:
    """An untrained encoder says nothing but rest; this one says something."""
    torch.nn.init.normal_(encoder.readout.weight)
    torch.nn.init.normal_(encoder.lips.weight)
    return encoder.eval()


@pytest.fixture
def encoder() -> AudioEncoder:
    torch.manual_seed(0)
    return _awake(AudioEncoder(_CONFIG))


# The encoder


def test_untrained_it_rests() -> None:
    encoder = AudioEncoder(_CONFIG)
    tokens = torch.randn(50, 5)
    encoder.set_statistics(torch.randn(50, 6), tokens, rest_C=torch.arange(5.0))
    said = encoder.speak(torch.randn(7, 6))
    assert torch.equal(said.tokens, torch.arange(5.0).expand(7, 5))
    assert not said.units.any()


def test_a_token_hears_its_context_and_nothing_beyond(encoder: AudioEncoder) -> None:
    features = torch.randn(40, 6)
    tokens, units = encoder.speak(features)
    assert (tokens.shape, units.shape) == ((40, 5), (40, 52))
    assert 0 <= units.min() < units.max() <= 1
    changed = features.clone()
    changed[20] += 1
    for before, after in zip((tokens, units), encoder.speak(changed), strict=True):
        heard = (after - before).abs().amax(dim=1) > 1e-6
        assert torch.equal(heard.nonzero()[:, 0], torch.arange(20 - _K, 20 + _K + 1))


def test_windows_with_their_context_say_what_the_whole_says(encoder: AudioEncoder) -> None:
    features = torch.randn(30, 6)
    window = encoder(features[None, 10 - _K : 18 + _K], torch.zeros(1, 5), torch.tensor([False]))
    whole = encoder.speak(features)
    torch.testing.assert_close(window.tokens[0], whole.tokens[10:18])
    torch.testing.assert_close(window.units[0].clamp(0, 1), whole.units[10:18])


def test_style_is_heeded_only_where_it_is_given(encoder: AudioEncoder) -> None:
    features, style = torch.randn(2, 5 + 2 * _K, 6), torch.randn(2, 5)
    neither = encoder(features, style, torch.tensor([False, False])).tokens
    second = encoder(features, style, torch.tensor([False, True])).tokens
    assert torch.equal(neither, encoder(features, 0 * style, torch.tensor([False, False])).tokens)
    assert torch.equal(neither[0], second[0])
    assert not torch.allclose(neither[1], second[1])


def test_its_checkpoint_comes_back(encoder: AudioEncoder, tmp_path: Path) -> None:
    encoder.set_statistics(torch.randn(50, 6), torch.randn(50, 5), torch.randn(5))
    save_checkpoint(encoder, tmp_path / "audio", about={"features": "log-mel"})
    again = load_checkpoint(tmp_path / "audio", AudioEncoder)
    features = torch.randn(9, 6)
    assert all(map(torch.equal, again.speak(features), encoder.speak(features)))
    with pytest.raises(WeightsError, match="kind 'audio'"):
        load_checkpoint(tmp_path / "audio", VideoVAE)


# What it learns


def test_the_velocity_term_sees_change_and_not_place(encoder: AudioEncoder) -> None:
    features, style, told = torch.randn(1, 8 + 2 * _K, 6), torch.zeros(1, 5), torch.tensor([False])
    tokens, units = (values.detach() for values in encoder(features, style, told))
    objective = AudioObjective(encoder, token_speed=0.5, unit_scale=0.25, unit_speed=0.5, velocity_weight=3.0)

    def losses(tokens: Tensor, units: Tensor) -> dict[str, float]:
        return {name: loss.item() for name, loss in objective(features, tokens, units, style, told).items()}

    shifted = losses(tokens + 2, units + 1)
    assert max(shifted["velocity"], shifted["lips_velocity"]) < 1e-9
    assert shifted["position"] == pytest.approx(4.0, rel=1e-4)
    assert shifted["lips_position"] == pytest.approx(16.0, rel=1e-4)
    blinking = tokens.clone()
    blinking[:, ::2] += 1
    changing = losses(blinking, units)
    assert changing["velocity"] == pytest.approx(4.0, rel=1e-4)
    assert changing["loss"] == pytest.approx(0.5 + 3 * 4.0, rel=1e-4)


def test_the_map_averages_people_and_follows_bends() -> None:
    random = np.random.default_rng(0)
    mixing = random.standard_normal((52, 7))

    def truth(units: np.ndarray) -> np.ndarray:
        return units @ mixing + 3 * np.tanh(2 * units[:, :1])

    person = np.arange(240) % 6
    units = np.zeros((240, 52), np.float32)
    units[:, :4] = random.uniform(0, 1, (240, 4))
    tokens = truth(units) + 0.5 * random.standard_normal((6, 7))[person]
    found = fit_token_map(units, tokens, person)
    unseen = np.zeros((50, 52), np.float32)
    unseen[:, :4] = random.uniform(0.1, 0.9, (50, 4))
    # Up to a constant: the mean of these six people.
    wrong = found(unseen) - truth(unseen)
    assert (wrong - wrong.mean(axis=0)).std() < 0.25 * truth(unseen).std()
    assert found.unexplained < 0.5


class _UnitsAsTokens:
    unexplained = 0.0

    def __call__(self, units: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(units[:, :5], np.float32)


def _toy_speech() -> SpeechSet:
    """Sounds that tell three units; a fourth is mood, which no sound tells."""
    random = np.random.default_rng(0)
    utterances = []
    for number in range(12):
        length = int(random.integers(30, 60))
        units, mood = np.zeros((length, 52), np.float32), np.zeros(52, np.float32)
        mood[3] = number % 2
        units[:, :3] = random.uniform(0, 1, (length, 3))
        features = np.concatenate([units[:, :3], random.standard_normal((length, 3))], axis=1)
        utterances.append(SpokenFeatures(f"xx: {number}", "xx", features.astype(np.float32), units + mood, mood))
    faces = ShownUnits(np.zeros((1, 1, 1, 3), np.uint8), np.zeros((1, 52), np.float32), np.zeros(1, np.int64))
    return SpeechSet(utterances, faces, "toy")


def test_the_stage_learns_lips_from_sound_and_mood_from_style(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = AudioEncoder(_CONFIG)
    row = AudioStageSettings(steps=150, batch=8, frames=16, style_dropout=0.3)
    task = AudioTask(encoder, _toy_speech(), _UnitsAsTokens(), row, 0, branch_sha256="abc")
    assert all(torch.equal(task.batch(3, 1)[name], value) for name, value in task.batch(3, 1).items())
    assert not torch.equal(task.batch(3, 1)["features_BTM"], task.batch(3, 0)["features_BTM"])
    assert len(task.sample_ids(3, 1)) == 8
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    for step in range(row.steps):
        optimizer.zero_grad()
        task.module(**task.batch(step, 0))["loss"].backward()
        optimizer.step()
    encoder.eval()
    features = torch.from_numpy(_toy_speech().utterances[0].features_TM)
    calm, merry = torch.zeros(5), torch.eye(5)[3]
    merrily, calmly, untold = (encoder.speak(features, style) for style in (merry, calm, None))
    for told, other, middle in zip(merrily, calmly, untold, strict=True):
        assert np.corrcoef(told[:, 1], features[:, 1])[0, 1] > 0.95
        assert (told - other)[:, 3].mean() > 0.7
        # Not told, it takes the middle.
        assert 0.2 < float(middle[:, 3].mean()) < 0.8
    task.save(tmp_path / "audio")
    assert json.loads((tmp_path / "audio" / "config.json").read_text())["about"]["face_branch"] == "abc"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_stage_trains_as_a_user_starts_it(models: Path, clip_manifest: Path, tmp_path: Path) -> None:
    """espeak-ng speaks, people who do not exist show its lips: the result fits the model it is for."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "stage3").symlink_to(models / "stage3")
    row = {"steps": 3, "warmup_steps": 0, "batch": 2, "frames": 20, "utterances": 4, "faces": 32, "people": 2}
    settings = load_settings(
        {
            **{f"training.audio.{key}": value for key, value in row.items()},
            "training.log_every": 1,
            "training.processes": 1,
            "dataset.synthetic.processes": 1,
            "training.work_dir": str(tmp_path / "runs"),
            "training.models_dir": str(tmp_path / "models"),
            "training.reports_dir": str(tmp_path / "reports"),
            "tracking.uri": f"sqlite:///{tmp_path}/mlflow.db",
            "tracking.artifacts": str(tmp_path / "artifacts"),
        }
    )
    done = train_stage(settings, "audio", clip_manifest)
    assert {"loss", "position", "velocity", "lips_position", "token_map_unexplained"} <= done.metrics.keys()
    assert find_audio(tmp_path / "models" / "stage3") == done.weights
    (kept,) = (tmp_path / "runs" / "speech").iterdir()
    (utterance, *_) = sorted(kept.glob("*.wav"))
    driver = SpeechDriver.load(tmp_path / "models" / "stage3", settings, torch.device("cpu"))
    spoken = driver.face(utterance, Fraction(25))
    count = len(load_speech(kept).utterances[0].units_TU)
    assert spoken.tokens_TC.shape == (count, get_preset("tiny").actor.face_width)
    assert spoken.units_TU.shape == (count, 52)
    assert len(load_speech(kept).faces.crops_KSS3) == 32


# Driving with it


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """models/stage3 and models/audio with random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    preset = get_preset("tiny")
    save_checkpoint(VideoVAE(preset.vae), folder / VAE_FOLDER, about={})
    about = {"stage": "3", "steps": 0, "preset": "tiny", "area": 64 * 64, "max_references": 2}
    actor = DreamActor(preset.actor)
    for name, parameter in actor.named_parameters():
        if ("face_attn" in name or "proj_out" in name) and not parameter.any():
            # Untrained, Face Attn adds nothing to the blocks, and these nothing to the warp: no face would move.
            torch.nn.init.normal_(parameter)
    save_finished(actor, folder / VAE_FOLDER, folder / "stage3", about=about)
    audio = _awake(AudioEncoder(preset.audio(BANDS * len(CONTEXT_S))))
    branch = face_branch_sha256(folder / "stage3")
    save_checkpoint(audio, folder / "audio", about={"features": "log-mel", "face_branch": branch})
    return folder


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings({"sampling.steps": 1, "model.device": "cpu"})


@pytest.fixture(scope="module")
def animator(models: Path, settings: Settings) -> Animator:
    return Animator.from_checkpoint(models / "stage3", settings)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    time_s = np.arange(round(0.5 * 16000)) / 16000
    write_recording(tmp_path / "hum.wav", 0.3 * np.sin(2 * np.pi * 200 * time_s) * np.sin(2 * np.pi * 3 * time_s))
    return tmp_path / "hum.wav"


def test_the_face_branch_is_the_actors_own(models: Path) -> None:
    actor = load_checkpoint(models / "stage3", DreamActor)
    crops = torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(load_face_branch(models / "stage3")(crops), actor.encode_face(crops[None])[0])
    assert isinstance(load_face_branch(models / "stage3"), FaceBranch)


def test_an_encoder_of_another_model_or_none_is_refused(models: Path, tmp_path: Path) -> None:
    assert find_audio(models / "stage3") == models / "audio"
    (tmp_path / "stage3").symlink_to(models / "stage3")
    with pytest.raises(WeightsError, match="no audio encoder") as caught:
        find_audio(tmp_path / "stage3")
    assert "dreamactor model train --stage audio" in caught.value.line()
    save_checkpoint(AudioEncoder(_CONFIG), tmp_path / "audio", about={"features": "log-mel", "face_branch": "other"})
    with pytest.raises(WeightsError, match="another model"):
        find_audio(tmp_path / "stage3")


def test_other_speech_features_than_those_of_training_are_refused(
    models: Path, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "stage3").symlink_to(models / "stage3")
    about = {"features": "whisper 0123", "face_branch": face_branch_sha256(models / "stage3")}
    save_checkpoint(AudioEncoder(_CONFIG), tmp_path / "audio", about=about)
    with pytest.raises(WeightsError, match="whisper 0123, not log-mel.*signals.speech_encoder"):
        SpeechDriver.load(tmp_path / "stage3", settings, torch.device("cpu"))


def test_another_rate_is_another_sampling_of_the_same_curve() -> None:
    values = np.linspace(0, 1, 25)[:, None]
    assert np.array_equal(at_rate(values, Fraction(25), Fraction(25)), values.astype(np.float32))
    doubled = at_rate(values, Fraction(25), Fraction(50))
    assert len(doubled) == 50
    assert np.allclose(doubled[2:-2:2, 0] + doubled[3:-1:2, 0], 2 * values[1:-1, 0], atol=1e-6)
    assert len(at_rate(values, Fraction(25), Fraction(30000, 1001))) == 29


def test_a_held_pose_sways_a_little_and_begins_as_the_reference(one_frame_track: MotionTrack) -> None:
    held = held_pose(one_frame_track, 100, Fraction(25), seed=0)
    assert (len(held), held.fps) == (100, 25)
    assert np.array_equal(held.joints_cam_m, np.repeat(one_frame_track.joints_cam_m, 100, axis=0))
    assert np.allclose(held.head_rotation[0], one_frame_track.head_rotation[0], atol=1e-6)
    yaw_rad = angles_of_rotation(held.head_rotation)[0]
    assert 0.005 < yaw_rad.std() < 0.1
    assert np.abs(np.diff(yaw_rad)).max() < 0.03
    assert held == held_pose(one_frame_track, 100, Fraction(25), seed=0)


def test_speech_moves_the_mouth_of_a_performance_and_leaves_it_its_eyes(one_frame_track: MotionTrack) -> None:
    jaw, eye = ARKIT_UNITS.index("jawOpen"), ARKIT_UNITS.index("eyeBlinkLeft")
    units = np.zeros((4, len(ARKIT_UNITS)))
    units[:, [jaw, eye]] = 0.8
    performed = replace(held_pose(one_frame_track, 6, Fraction(25), seed=0), face_units=np.full((6, 52), 0.3))
    spoken = Spoken(np.arange(8, dtype=np.float32).reshape(4, 2), units.astype(np.float32)).onto(performed)
    assert len(spoken) == 4
    assert spoken.face_tokens is not None
    assert spoken.face_units is not None
    np.testing.assert_array_equal(spoken.face_tokens[:, 0], (0, 2, 4, 6))
    np.testing.assert_allclose(spoken.face_units[:, [jaw, eye]], [[0.8, 0.3]] * 4)
    silent = Spoken(np.zeros((9, 2), np.float32), np.zeros((9, 52), np.float32)).onto(one_frame_track[[0, 0]])
    assert silent.face_units is not None
    assert not silent.face_units.any()


@pytest.fixture
def one_frame_track() -> MotionTrack:
    from dreamactor_core.skeleton import JOINT_COUNT

    return MotionTrack(
        joints_cam_m=np.ones((1, JOINT_COUNT, 3)), joint_confidence=np.ones((1, JOINT_COUNT)), focal_px=100.0,
        principal_px=np.array((32.0, 32.0)), frame_size=(64, 64), fps=Fraction(25), head_rotation=np.eye(3)[None],
        head_center_cam_m=np.ones((1, 3)), head_radius_m=np.full(1, 0.1), head_confidence=np.ones(1),
        face_boxes_px=np.array([[10.0, 10, 40, 40]]), face_confidence=np.ones(1),
    )  # fmt: skip


@pytest.mark.slow
def test_speech_alone_makes_a_video_with_its_sound(animator: Animator, recording: Path, tmp_path: Path) -> None:
    request = AnimateRequest((footage("astronaut"),), None, tmp_path / "out.mp4", recording)
    result = animator.animate(request)
    info = probe(result.video)
    assert (info.frame_count, info.fps, info.has_audio) == (13, 25, True)
    with av.open(str(result.video)) as container:
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert seconds == pytest.approx(0.5, abs=0.1)
    sidecar = json.loads(result.sidecar.read_text())
    assert [item["role"] for item in sidecar["inputs"]] == ["reference", "speech"]
    assert sidecar["model"]["audio"]["features"] == "log-mel"
    assert read_image(result.contact_sheet).shape[1] > 4 * 192


@pytest.mark.slow
def test_speech_moves_the_face_of_a_driven_body(
    animator: Animator, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Length is the shorter of both; other words, and another style, are another video."""
    driven = AnimateRequest(
        (footage("astronaut"),), footage("smiling-man"), tmp_path / "a.mp4", recording, max_frames=5
    )
    first = animator.animate(driven)
    assert probe(first.video).frame_count == 5
    assert [item["role"] for item in json.loads(first.sidecar.read_text())["inputs"]][1:] == ["driving", "speech"]
    styled = animator.animate(replace(driven, output=tmp_path / "b.mp4", style=footage("astronaut")))
    assert not np.array_equal(read_frames(styled.video), read_frames(first.video))
    silence = tmp_path / "silence.wav"
    write_recording(silence, np.zeros(2000, np.float32))
    silent = animator.animate(replace(driven, output=tmp_path / "c.mp4", speech=silence))
    assert probe(silent.video).frame_count == 4
    crops_asked: list[Tensor] = []
    monkeypatch.setattr(DreamActor, "encode_face", lambda actor, crops: crops_asked.append(crops))
    again = animator.animate(replace(driven, output=tmp_path / "d.mp4"))
    assert not crops_asked
    np.testing.assert_array_equal(read_frames(again.video), read_frames(first.video))


def test_what_cannot_be_spoken_is_refused(recording: Path, tmp_path: Path) -> None:
    request = AnimateRequest((footage("astronaut"),), None, tmp_path / "out.mp4")
    with pytest.raises(InputError, match="no performance") as caught:
        request.check()
    assert "--speech" in caught.value.line()
    with pytest.raises(DecodeError, match="not a WAV"):
        replace(request, speech=footage("astronaut")).check()
    with pytest.raises(InputError, match="Add --speech"):
        replace(request, driving=footage("smiling-man"), style=footage("astronaut")).check()
    replace(request, speech=recording).check()
