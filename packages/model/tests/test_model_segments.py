"""Long videos: segments that hand on their last latent, and the stream they make."""

import dataclasses
from collections.abc import Iterator
from itertools import combinations, pairwise
from types import SimpleNamespace
from typing import Literal

import numpy as np
import pytest
import torch
from dreamactor_core.errors import SettingsError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.presets import latent_frames
from dreamactor_model.sampling.references import References
from dreamactor_model.sampling.segments import Segment, plan_segments
from dreamactor_model.sampling.stream import MotionArrays, decode_frames, sample_stream, step_count
from dreamactor_model.vae import VideoVAE
from hypothesis import given
from hypothesis import strategies as st
from micro_model import MICRO_ACTOR, MICRO_VAE, awake_actor
from swaying_person import person_track
from torch import Tensor

SETTINGS = SamplingSettings(steps=2, segment_frames=9, seed=11)


@pytest.fixture(scope="module")
def actor() -> DreamActor:
    return awake_actor(dataclasses.replace(MICRO_ACTOR, layers=1))


@pytest.fixture(scope="module")
def vae() -> VideoVAE:
    torch.manual_seed(0)
    return VideoVAE(MICRO_VAE).eval()


def _motion(frames: int, *, face: bool = False) -> MotionArrays:
    random = np.random.default_rng(3)
    crops = random.integers(0, 256, (frames, 224, 224, 3), dtype=np.uint8) if face else None
    return MotionArrays(random.integers(0, 256, (frames, 6, 32, 32), dtype=np.uint8), crops)


REFERENCES = References(torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(4)))


def _sample(actor: DreamActor, motion: MotionArrays, settings: SamplingSettings = SETTINGS) -> list[Tensor]:
    return list(sample_stream(actor, REFERENCES, motion, settings))


@given(frame_count=st.integers(1, 1000), latents=st.integers(2, 31))
def test_segments_cover_a_video_of_any_length(frame_count: int, latents: int) -> None:
    segments = plan_segments(frame_count, 4 * latents - 3)
    assert sum(segment.kept for segment in segments) == latent_frames(frame_count)
    for before, after in pairwise(segments):
        assert before.latent_count == latents
        assert after.first_latent == before.first_latent + before.latent_count - 1
    for segment in segments:
        assert segment.kept <= segment.latent_count - segment.carried
        assert segment.latent_count <= latents
        assert min(7, latents) <= segment.latent_count


def test_the_paper_s_segments() -> None:
    """73 frames, then 72 more each; the rest in a segment no shorter than training's shortest clip, 25 frames."""
    assert plan_segments(150, 73) == [Segment(0, 0, 19, 19), Segment(1, 18, 19, 18), Segment(2, 36, 7, 2)]
    assert plan_segments(73, 73) == [Segment(0, 0, 19, 19)]
    assert plan_segments(74, 73) == [Segment(0, 0, 19, 19), Segment(1, 18, 7, 1)]


def test_driving_frames_are_those_of_the_latents() -> None:
    """The carried latent ends at frame 72: its motion is that frame's, whatever segment it leads."""
    second = plan_segments(78, 73)[1]
    assert second.frame_indices(78) == [72, 73, 74, 75, 76, 77] + [77] * 19
    assert len(second.frame_indices(78)) == 25


@pytest.mark.parametrize("frames", [0, 1, 4, 72])
def test_a_segment_that_is_not_4n_plus_1_is_refused(frames: int) -> None:
    with pytest.raises(SettingsError, match="4n \\+ 1"):
        plan_segments(10, frames)


def test_a_video_without_frames_is_refused() -> None:
    with pytest.raises(SettingsError, match="0 frames"):
        plan_segments(0, 73)


@pytest.mark.parametrize("frame_count", [1, 2, 5, 9, 10, 14, 17, 26])
def test_every_frame_comes_out_once(actor: DreamActor, vae: VideoVAE, frame_count: int) -> None:
    latents = _sample(actor, _motion(frame_count))
    assert sum(chunk.shape[2] for chunk in latents) == latent_frames(frame_count)
    frames = list(decode_frames(vae, latents, frame_count))
    assert len(frames) == frame_count
    assert all(frame.shape == (3, 32, 32) for frame in frames)
    assert all(torch.isfinite(frame).all() for frame in frames)


def test_a_segment_starts_from_the_very_latent_that_ended_the_one_before(actor: DreamActor) -> None:
    """Handed on as it is, at timestep 0: never decoded and encoded again."""
    calls: list[tuple[Tensor, Tensor]] = []
    hook = actor.dit.register_forward_pre_hook(lambda _, arguments: calls.append((arguments[0], arguments[1])))
    chunks = _sample(actor, _motion(25))
    hook.remove()
    assert [chunk.shape[2] for chunk in chunks] == [3, 2, 2]
    for index, (latents, timesteps) in enumerate(calls):
        segment = index // SETTINGS.steps
        if segment:
            assert torch.equal(latents[:1, :, :1], chunks[segment - 1][:, :, -1:])
            assert not timesteps[:, 0].any()
        assert timesteps[:, 1:].all()


@pytest.mark.parametrize("solver", ["euler", "unipc"])
def test_four_segments_decoded_as_a_stream_equal_one_piece(
    actor: DreamActor, vae: VideoVAE, solver: Literal["euler", "unipc"]
) -> None:
    """Frame for frame, and the encoder never runs: no latent is decoded and encoded again on the way."""
    encoded: list[None] = []
    hook = vae.autoencoder.encoder.register_forward_pre_hook(lambda *_: encoded.append(None))
    kept: list[Tensor] = []

    def latents() -> Iterator[Tensor]:
        settings = SETTINGS.model_copy(update={"solver": solver})
        for chunk in sample_stream(actor, REFERENCES, _motion(33), settings):
            kept.append(chunk)
            yield chunk

    streamed = torch.stack(list(decode_frames(vae, latents(), 33)), dim=1)
    hook.remove()
    assert [chunk.shape[2] for chunk in kept] == [3, 2, 2, 2]
    assert not encoded
    with torch.no_grad():
        assert torch.equal(streamed, vae.decode(torch.cat(kept, dim=2))[0])


def test_latents_are_decoded_while_they_are_made(actor: DreamActor, vae: VideoVAE) -> None:
    made: list[int] = []

    def watched() -> Iterator[Tensor]:
        for chunk in sample_stream(actor, REFERENCES, _motion(25), SETTINGS):
            made.append(chunk.shape[2])
            yield chunk

    frames = decode_frames(vae, watched(), 25)
    next(frames)
    assert made == [3]


@pytest.mark.parametrize("solver", ["euler", "unipc"])
def test_equal_seeds_are_equal_bit_for_bit(actor: DreamActor, solver: Literal["euler", "unipc"]) -> None:
    motion, settings = _motion(17, face=True), SETTINGS.model_copy(update={"solver": solver})
    first, second = _sample(actor, motion, settings), _sample(actor, motion, settings)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    other = _sample(actor, motion, settings.model_copy(update={"seed": 12}))
    assert not torch.equal(first[0], other[0])


def _starts(actor: DreamActor, frame_count: int, seed: int) -> list[Tensor]:
    """The noise that each segment starts from."""
    seen: list[Tensor] = []
    hook = actor.dit.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0][:1]))
    _sample(actor, _motion(frame_count), SETTINGS.model_copy(update={"steps": 1, "seed": seed}))
    hook.remove()
    # The first latent of all but the first segment is carried over.
    return [latents[:, :, int(index > 0) :] for index, latents in enumerate(seen)]


def test_each_segment_draws_its_noise_from_seed_and_number(actor: DreamActor) -> None:
    """No segment repeats another's, and none depends on how many follow."""
    ours, others = _starts(actor, 25, seed=11), _starts(actor, 25, seed=12)
    assert len(ours) == 3
    for first, second in combinations([start[:, :, -2:] for start in (*ours, *others)], 2):
        assert not torch.equal(first, second)
    assert torch.equal(_starts(actor, 9, seed=11)[0], ours[0])


def test_a_longer_video_begins_as_a_shorter_one(actor: DreamActor) -> None:
    motion = _motion(25)
    short = MotionArrays(motion.control_TCHW[:17])
    for ours, theirs in zip(_sample(actor, short), _sample(actor, motion), strict=False):
        torch.testing.assert_close(ours, theirs)


def test_motion_drives_the_segment_it_belongs_to(actor: DreamActor) -> None:
    motion = _motion(25)
    before = _sample(actor, motion)
    motion.control_TCHW[12] = 255 - motion.control_TCHW[12]
    after = _sample(actor, motion)
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_where_the_person_stands_in_references_is_read_by_models_that_learned_it() -> None:
    control_RCHW = np.random.default_rng(5).integers(0, 256, (2, 6, 32, 32), dtype=np.uint8)
    posed = dataclasses.replace(REFERENCES, control_RCHW=control_RCHW)
    for reads in (True, False):
        actor = awake_actor(dataclasses.replace(MICRO_ACTOR, layers=1, reference_pose=reads))
        with_pose, without = (
            torch.cat(list(sample_stream(actor, shown, _motion(9), SETTINGS)), dim=2) for shown in (posed, REFERENCES)
        )
        assert torch.equal(with_pose, without) != reads


def test_a_reference_is_warped_to_the_last_frame_of_each_latent() -> None:
    actor, asked = awake_actor(dataclasses.replace(MICRO_ACTOR, layers=1, reference_warp=True)), []
    track = person_track(15)

    def latents(poses: MotionTrack) -> Tensor:
        asked.append(poses.head_center_cam_m)
        return torch.ones(len(poses), 4, 4, 4)

    shown = dataclasses.replace(REFERENCES, warp=SimpleNamespace(latents=latents))
    motion = dataclasses.replace(_motion(15), track=track)
    warped = list(sample_stream(actor, shown, motion, SETTINGS))
    # Segments of 9 frames; past the end of the video, its last frame again.
    for poses, frames in zip(asked, ([0, 4, 8], [8, 12, 14]), strict=True):
        np.testing.assert_array_equal(poses, track.head_center_cam_m[frames])
    plain = list(sample_stream(actor, REFERENCES, motion, SETTINGS))
    assert not torch.equal(torch.cat(warped, dim=2), torch.cat(plain, dim=2))


def test_steps_are_announced(actor: DreamActor) -> None:
    steps: list[None] = []
    for _ in sample_stream(actor, REFERENCES, _motion(25), SETTINGS, on_step=lambda: steps.append(None)):
        pass
    assert len(steps) == step_count(25, SETTINGS) == 6


def test_a_straight_flow_is_solved_exactly(actor: DreamActor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the velocity is e - x0 for one x0, Euler reaches it in any number of steps."""
    target = torch.randn(1, 4, 7, 4, 4)

    def velocity(latents: Tensor, timesteps_BF: Tensor, *_: object) -> Tensor:
        return (latents - target) / timesteps_BF[:, None, :, None, None]

    monkeypatch.setattr(actor.dit, "forward", velocity)
    settings = SETTINGS.model_copy(
        update={"segment_frames": 25, "steps": 5, "guidance_reference": 1.0, "guidance_motion": 1.0}
    )
    [latents] = _sample(actor, _motion(25), settings)
    torch.testing.assert_close(latents, target, rtol=1e-4, atol=1e-4)
