"""Frames get back, from the reference's own pixels, what the VAE lost: the network, the stage, the finished model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dreamactor_core.errors import InputError, TrainingError, WeightsError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.dataset import ShardsSettings
from dreamactor_core.settings.training import RefinerStageSettings
from dreamactor_dataset.fitting import Fit, shrink_frames
from dreamactor_dataset.shards.pack import pack_clips
from dreamactor_model.animate.frames import make_frames, to_pixels
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.references import WarpedReference, encode_images
from dreamactor_model.checkpoint import load_checkpoint, save_checkpoint
from dreamactor_model.presets import RefinerConfig, get_preset
from dreamactor_model.refiner import Refiner
from dreamactor_model.sampling.canvas import ShrunkMotion, enlarge_frame
from dreamactor_model.sampling.references import References
from dreamactor_model.sampling.refining import refine_frames
from dreamactor_model.sampling.stream import MotionArrays, decode_frames, sample_stream
from dreamactor_model.training.finished import find_refiner, save_finished, verify_finished
from dreamactor_model.training.refiner.disguise import disguise
from dreamactor_model.training.refiner.head_squares import head_squares_px
from dreamactor_model.training.refiner.made_clips import MadeClip
from dreamactor_model.training.refiner.refiner_stage import RefinerObjective, RefinerTask
from dreamactor_model.training.run.launch import train_stage
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE, awake_actor
from swaying_person import person_track

CONFIG = RefinerConfig((8, 16))
SIDE, AREA, FRAMES = 32, 64 * 64, 9


def _refiner(seed: int = 0) -> Refiner:
    """One that has learned something, if nothing good."""
    torch.manual_seed(seed)
    refiner = Refiner(CONFIG).eval()
    for parameter in refiner.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return refiner


# The network


def test_a_newborn_mixes_a_fixed_share_of_the_warp_into_the_decoded() -> None:
    torch.manual_seed(0)
    decoded, warp, control = torch.rand(2, 3, SIDE, SIDE), torch.rand(2, 3, SIDE, SIDE), torch.rand(2, 6, SIDE, SIDE)
    share = torch.sigmoid(torch.tensor(-1.0))
    torch.testing.assert_close(Refiner(CONFIG)(decoded, warp, control), decoded + share * (warp - decoded))


def test_every_input_counts_and_any_multiple_of_the_stride_is_a_size() -> None:
    refiner = _refiner()
    shape = (1, 3, 2 * refiner.stride, 3 * refiner.stride)
    inputs = [torch.rand(shape), torch.rand(shape), torch.rand(1, 6, *shape[2:])]
    answer = refiner(*inputs)
    assert answer.shape == shape
    for index in range(3):
        changed = [value + 0.1 * (place == index) for place, value in enumerate(inputs)]
        assert (refiner(*changed) - answer).abs().max() > 1e-3


def test_it_learns_where_the_warp_is_to_be_believed() -> None:
    """The warp is right in the left half and noise in the right one, where the decoded, a little dark, is nearer."""
    torch.manual_seed(0)
    objective = RefinerObjective(Refiner(CONFIG), RefinerStageSettings(steps=1, perceptual_weight=0.0))
    optimizer = torch.optim.Adam(objective.parameters(), lr=3e-3)

    def batch() -> dict[str, torch.Tensor]:
        truth = torch.randint(40, 255, (1, 4, SIDE, SIDE, 3), dtype=torch.uint8)
        warp = truth.clone()
        warp[..., SIDE // 2 :, :] = torch.randint(0, 255, warp[..., SIDE // 2 :, :].shape, dtype=torch.uint8)
        control = torch.zeros(1, 4, 6, SIDE, SIDE, dtype=torch.uint8)
        control[..., SIDE // 2 :] = 255
        videos = {"decoded_BTHWC": truth - 40, "warp_BTHWC": warp, "control_BTCHW": control, "truth_BTHWC": truth}
        return videos | {"heads_BT3": torch.zeros(1, 4, 3)}

    for _ in range(150):
        losses = objective(**batch())
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    assert losses["pixel_l1"] < losses["decoded_l1"] / 3


def test_a_closer_look_is_at_the_head_alone_however_small_it_is() -> None:
    """Ten pixels of a head cost as much as forty; a frame without a head costs nothing more."""
    torch.manual_seed(0)
    objective = RefinerObjective(Refiner(CONFIG), RefinerStageSettings(steps=1, perceptual_weight=0.0))
    truth = torch.full((1, 1, SIDE, SIDE, 3), 100, dtype=torch.uint8)

    def head_l1(half_px: float, wrong: slice) -> float:
        decoded = truth.clone()
        decoded[..., wrong, wrong, :] = 160
        square = torch.tensor([[[SIDE / 2, SIDE / 2, half_px]]])
        control = torch.zeros(1, 1, 6, SIDE, SIDE, dtype=torch.uint8)
        losses = objective(decoded, decoded, control, truth, square)
        assert torch.isclose(losses["loss"], losses["pixel_l1"] + losses["edge_l1"] + 0.5 * losses["head_l1"])
        return losses["head_l1"].item()

    def middle(half_px: int) -> slice:
        return slice(SIDE // 2 - half_px, SIDE // 2 + half_px)

    assert head_l1(5, middle(8)) == pytest.approx(60 / 127.5, abs=1e-3)
    assert head_l1(SIDE // 4, middle(SIDE // 4 + 3)) == pytest.approx(60 / 127.5, abs=1e-3)
    assert head_l1(5, slice(0, SIDE // 2 - 8)) == 0
    assert head_l1(0, slice(None)) == 0


def test_squares_lie_around_heads_that_are_seen() -> None:
    track = person_track(3)
    unseen = replace(track, head_confidence=np.array([1, 0, 1], np.float32))
    squares_px = head_squares_px(unseen)
    assert squares_px[1].tolist() == [0, 0, 0]
    center_px, radius_px = track.project(track.head_center_cam_m)[0], squares_px[0, 2] / 1.5
    np.testing.assert_allclose(squares_px[0, :2] - center_px, [0, 0.3 * radius_px], atol=1e-3)
    assert radius_px == pytest.approx(track.focal_px * track.head_radius_m[0] / track.head_center_cam_m[0, 2])


# On the way out


class _Moved:
    """A reference whose every pixel says which frame it is moved to; it notes who asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def frames(self, poses: MotionTrack) -> np.ndarray:
        numbers = poses.head_center_cam_m[:, 0].astype(int)
        self.asked += numbers.tolist()
        return np.ones((len(numbers), SIDE, SIDE, 3), np.uint8) * numbers[:, None, None, None].astype(np.uint8)

    def latents(self, poses: MotionTrack) -> torch.Tensor:
        return torch.zeros(len(poses), MICRO_VAE.latent_channels, SIDE // 8, SIDE // 8)


def _motion(frames: int) -> MotionArrays:
    track = person_track(frames)
    numbered = np.zeros_like(track.head_center_cam_m)
    numbered[:, 0] = np.arange(frames)
    control = np.random.default_rng(0).integers(0, 255, (frames, 6, SIDE, SIDE), dtype=np.uint8)
    return MotionArrays(control, track=replace(track, head_center_cam_m=numbered))


def test_every_frame_sees_the_reference_at_its_own_pose() -> None:
    refiner, motion, moved = _refiner(), _motion(FRAMES), _Moved()
    decoded = list(torch.rand(FRAMES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))
    refined = list(refine_frames(refiner, iter(decoded), moved, motion))
    assert moved.asked == list(range(FRAMES))
    for index, frame in enumerate(refined):
        warp = torch.full((1, 3, SIDE, SIDE), index / 127.5 - 1)
        control = torch.from_numpy(motion.control_TCHW[index : index + 1]) / 255
        with torch.no_grad():
            alone = refiner(decoded[index][None], warp, control)[0].clamp(-1, 1)
        torch.testing.assert_close(frame, alone, rtol=1e-4, atol=1e-5)


def test_frames_are_refined_as_they_come() -> None:
    taken: list[int] = []

    def decoded() -> object:
        for index in range(FRAMES):
            taken.append(index)
            yield torch.zeros(3, SIDE, SIDE)

    next(refine_frames(_refiner(), decoded(), _Moved(), _motion(FRAMES)))
    assert len(taken) < FRAMES


def test_what_a_model_makes_is_what_its_refiner_makes_of_it() -> None:
    torch.manual_seed(0)
    actor, vae = awake_actor(MICRO_ACTOR), VideoVAE(MICRO_VAE).eval()
    plain = LoadedModel(Path(), actor, vae, {}, torch.device("cpu"), 1)
    references = References(torch.randn(1, 4, SIDE // 8, SIDE // 8), warp=None)
    motion, sampling = _motion(FRAMES), load_settings({"sampling.steps": 1}).sampling
    decoded = list(decode_frames(vae, sample_stream(actor, references, motion, sampling), FRAMES))
    with pytest.raises(AssertionError, match="moves the first"):
        next(make_frames(replace(plain, refiner=_refiner()), references, motion, sampling))
    moved = replace(references, warp=_Moved())
    refined = np.stack(list(make_frames(replace(plain, refiner=_refiner()), moved, motion, sampling)))
    expected = [to_pixels(frame) for frame in refine_frames(_refiner(), decoded, _Moved(), motion)]
    np.testing.assert_array_equal(refined, expected)
    assert (refined != [to_pixels(frame) for frame in decoded]).any()


# Two canvases


def test_the_transformer_sees_means_of_what_the_video_is_made_of() -> None:
    random = np.random.default_rng(0)
    maps = random.integers(0, 255, (2, 6, SIDE, SIDE), dtype=np.uint8)
    motion = MotionArrays(maps, track=person_track(2))
    shown = ShrunkMotion(motion, 2)
    means = maps.reshape(2, 6, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(shown.control_maps([1]), means[1:], atol=0.51)
    assert shown.poses([1]) == motion.poses([1])
    pictures = random.integers(0, 255, (1, SIDE, SIDE, 3), dtype=np.uint8)
    means = pictures.reshape(1, SIDE // 2, 2, SIDE // 2, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(shrink_frames(pictures, 2), means, atol=0.51)
    flat = torch.full((3, SIDE, SIDE), 0.25)
    torch.testing.assert_close(enlarge_frame(flat, 2), torch.full((3, 2 * SIDE, 2 * SIDE), 0.25))


def test_a_reference_is_moved_on_the_fine_canvas_and_encoded_on_the_coarse_one() -> None:
    vae = VideoVAE(MICRO_VAE).eval()
    image = np.random.default_rng(0).integers(0, 255, (2 * SIDE, 2 * SIDE, 3), dtype=np.uint8)
    pose = Fit.cover(person_track(1).frame_size, (2 * SIDE, 2 * SIDE)).track(person_track(1))
    fine = WarpedReference(vae, image, pose, fineness=2)
    moved = fine.frames(pose)
    assert moved.shape == (1, 2 * SIDE, 2 * SIDE, 3)
    torch.testing.assert_close(fine.latents(pose), encode_images(vae, shrink_frames(moved, 2)))


def test_a_model_whose_canvas_is_finer_makes_frames_of_that_size() -> None:
    torch.manual_seed(0)
    actor, vae = awake_actor(MICRO_ACTOR), VideoVAE(MICRO_VAE).eval()
    model = LoadedModel(Path(), actor, vae, {}, torch.device("cpu"), 1, fineness=2)
    # The transformer works on half of the motion's canvas.
    references = References(torch.randn(1, 4, SIDE // 16, SIDE // 16), warp=_Moved())
    motion, sampling = _motion(FRAMES), load_settings({"sampling.steps": 1}).sampling
    latents = sample_stream(actor, references, ShrunkMotion(motion, 2), sampling)
    decoded = [enlarge_frame(frame, 2) for frame in decode_frames(vae, latents, FRAMES)]
    plain = np.stack(list(make_frames(model, references, motion, sampling)))
    np.testing.assert_array_equal(plain, [to_pixels(frame) for frame in decoded])
    refined = np.stack(list(make_frames(replace(model, refiner=_refiner()), references, motion, sampling)))
    expected = [to_pixels(frame) for frame in refine_frames(_refiner(), decoded, _Moved(), motion)]
    np.testing.assert_array_equal(refined, expected)
    assert refined.shape == (FRAMES, SIDE, SIDE, 3)


# The finished model


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / "vae", about={})
    save_checkpoint(_refiner(), tmp_path / "refiner", about={"steps": 3})
    folder, about = tmp_path / "model", {"stage": "3", "preset": "tiny", "area": AREA, "max_references": 2}
    actor = awake_actor(MICRO_ACTOR)
    save_finished(actor, tmp_path / "vae", folder, about=about, refiner_folder=tmp_path / "refiner")
    return folder


def test_a_folder_with_a_refiner_is_one_model(finished: Path) -> None:
    verify_finished(finished)
    loaded = LoadedModel.load(finished, load_settings({"model.device": "cpu"}))
    assert loaded.refiner is not None
    for name, tensor in _refiner().state_dict().items():
        assert torch.equal(loaded.refiner.state_dict()[name], tensor)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_refiner_computes_in_the_models_precision_whatever_its_file_is_in(finished: Path, precision: str) -> None:
    """Many CPUs take minutes for a video in bfloat16, in which a released refiner is written."""
    actor, halved = awake_actor(MICRO_ACTOR), finished.parent / "halved"
    save_checkpoint(_refiner().to(torch.bfloat16), halved, about={})
    about = {"stage": "3", "preset": "tiny", "area": AREA}
    save_finished(actor, finished / "vae", finished.parent / "released", about=about, refiner_folder=halved)
    settings = load_settings({"model.device": "cpu", "model.precision": precision})
    refiner = LoadedModel.load(finished.parent / "released", settings).refiner
    assert refiner is not None
    assert {weight.dtype for weight in refiner.parameters()} == {getattr(torch, precision)}


def test_another_refiner_is_noticed(finished: Path) -> None:
    save_checkpoint(_refiner(seed=1), finished / "refiner", about={})
    with pytest.raises(WeightsError, match="refiner is not the one"):
        verify_finished(finished)


def test_a_model_saved_on_without_its_refiner_says_nothing_of_it(finished: Path, tmp_path: Path) -> None:
    about = {"stage": "3", "refiner_manifest_sha256": "0" * 64}
    save_finished(awake_actor(MICRO_ACTOR), finished / "vae", tmp_path / "other", about=about)
    assert find_refiner(tmp_path / "other") is None
    verify_finished(tmp_path / "other")


# The stage


def _settings(folder: Path, **changes: object) -> Settings:
    row = {"steps": 2, "warmup_steps": 0, "batch": 2, "frames": 2, "visits": 3, "max_frames": 9}
    return load_settings(
        {
            "model.device": "cpu",
            "sampling.steps": 1,
            "dataset.sampling.area": AREA,
            "dataset.sampling.min_frames": 9,
            "training.processes": 1,
            "training.log_every": 1,
            "training.work_dir": str(folder / "runs"),
            "training.models_dir": str(folder / "models"),
            "training.reports_dir": str(folder / "reports"),
            "tracking.uri": f"sqlite:///{folder}/mlflow.db",
            "tracking.artifacts": str(folder / "artifacts"),
            **{f"training.refiner.{name}": value for name, value in row.items()},
            **changes,
        }
    )


def _save_stage_3(folder: Path, preset: str = "tiny") -> Path:
    """Of random weights: the architecture is the preset's."""
    shapes, about = get_preset("tiny"), {"stage": "3", "preset": preset, "area": AREA, "max_references": 2}
    torch.manual_seed(0)
    save_checkpoint(VideoVAE(shapes.vae), folder / "vae", about={})
    save_finished(awake_actor(shapes.actor), folder / "vae", folder / "models" / "stage3", about=about)
    return folder / "models" / "stage3"


@pytest.fixture
def packed(clip_manifest: Path, tmp_path: Path) -> Path:
    return pack_clips(clip_manifest, tmp_path / "shards", ShardsSettings(clips=2, fineness=2), area=AREA)


def _task(folder: Path, packed: Path, start: Path | None = None) -> RefinerTask:
    stage3 = _save_stage_3(folder)
    spec = TrainingSpec(
        stage="refiner",
        settings=_settings(folder).model_dump(mode="json"),
        manifest=packed,
        starts_from={"3": stage3} | ({} if start is None else {"refiner": start}),
        work_dir=folder / "work",
        output=folder / "refiner",
        configuration="",
        without_data="",
        checkpoint=None,
    )
    return RefinerTask.from_spec(spec)


@pytest.mark.timeout(300)
def test_batches_are_a_function_of_step_and_slot_and_visit_each_clip_at_other_frames(
    packed: Path, tmp_path: Path
) -> None:
    task = _task(tmp_path, packed)
    first = [task.batch(step, 0) for step in range(4)]
    again = {step: task.batch(step, 0) for step in (3, 1)}
    for step, batch in again.items():
        assert batch.keys() == first[step].keys()
        assert all(torch.equal(batch[name], first[step][name]) for name in batch)
    assert first[0]["truth_BTHWC"].shape == first[0]["decoded_BTHWC"].shape == (2, 2, 128, 128, 3)
    assert first[0]["control_BTCHW"].shape == (2, 2, 6, 128, 128)
    # Three visits of two frames, no frame twice.
    made = torch.cat([batch["decoded_BTHWC"][0] for batch in first[:3]])
    assert len({frame.numpy().tobytes() for frame in made}) == len(made)
    assert task.sample_ids(0, 0) == task.sample_ids(2, 0) != task.sample_ids(3, 0)
    # What is true is a frame of the clip, what was moved is more like it than what random weights make.
    moved_error, made_error = (
        (first[0][name].float() - first[0]["truth_BTHWC"].float()).abs().mean()
        for name in ("warp_BTHWC", "decoded_BTHWC")
    )
    assert moved_error < made_error


def test_it_says_how_fine_its_frames_are_and_wants_clips_as_fine(
    packed: Path, clip_manifest: Path, tmp_path: Path
) -> None:
    task = _task(tmp_path, packed)
    task.save(tmp_path / "whole")
    whole = LoadedModel.load(tmp_path / "whole", load_settings({"model.device": "cpu"}))
    assert whole.fineness == 2
    assert whole.refiner is not None
    coarse = pack_clips(clip_manifest, tmp_path / "coarse", ShardsSettings(clips=2), area=AREA)
    with pytest.raises(InputError, match="packed 1 times as fine as training frames, 2 times is wanted"):
        _task(tmp_path, coarse)


def test_a_finished_refiner_learns_on_and_one_of_another_size_is_refused(packed: Path, tmp_path: Path) -> None:
    config = get_preset("tiny").refiner
    assert config is not None
    # That of a release whose frames were as coarse as the transformer's.
    learned = Refiner(replace(config, fineness=1))
    torch.nn.init.normal_(learned.leave.weight)
    save_checkpoint(learned, tmp_path / "learned", about={})
    task = _task(tmp_path, packed, tmp_path / "learned")
    assert torch.equal(task.module.refiner.leave.weight, learned.leave.weight)
    save_checkpoint(_refiner(), tmp_path / "small", about={})
    with pytest.raises(TrainingError, match="another size"):
        _task(tmp_path, packed, tmp_path / "small")
    with pytest.raises(TrainingError, match="refiner.start names weights that are not there"):
        train_stage(_settings(tmp_path, **{"training.refiner.start": str(tmp_path / "none")}), "refiner", packed)


# Made stranger


def _made_clip(frames: int = 40) -> MadeClip:
    random = np.random.default_rng(0)
    videos = [random.integers(60, 200, (frames, SIDE, SIDE, 3), dtype=np.uint8) for _ in range(3)]
    control, heads = np.zeros((frames, 6, SIDE, SIDE), np.uint8), np.zeros((frames, 3), np.float32)
    return MadeClip(videos[0], videos[1], control, videos[2], heads)


def test_a_share_of_frames_is_spoiled_where_they_were_decoded_and_nowhere_else() -> None:
    clip = _made_clip()
    spoiled = disguise(clip, 0.5, 0.0, np.random.default_rng(0))
    assert 10 < (spoiled.decoded_THWC != clip.decoded_THWC).any(axis=(1, 2, 3)).sum() < 30
    for name in ("warp_THWC", "truth_THWC", "control_TCHW"):
        np.testing.assert_array_equal(getattr(spoiled, name), getattr(clip, name))


def test_a_share_of_frames_changes_colours_in_all_alike() -> None:
    clip = _made_clip()
    same = replace(clip, decoded_THWC=clip.truth_THWC, warp_THWC=clip.truth_THWC)
    changed = disguise(same, 0.0, 0.5, np.random.default_rng(0))
    is_changed = (changed.truth_THWC != clip.truth_THWC).any(axis=(1, 2, 3))
    assert 10 < is_changed.sum() < 30
    np.testing.assert_array_equal(changed.decoded_THWC, changed.truth_THWC)
    np.testing.assert_array_equal(changed.warp_THWC, changed.truth_THWC)
    # Pixels that were alike stay alike: a channel became another, stretched.
    before, after = clip.truth_THWC[is_changed][0].reshape(-1, 3), changed.truth_THWC[is_changed][0].reshape(-1, 3)
    likeness = np.abs(np.corrcoef(before.T, after.T)[:3, 3:])
    np.testing.assert_allclose(np.sort(likeness, axis=0)[-1], 1.0, atol=0.02)


def test_nothing_is_disguised_where_nothing_is_asked_for() -> None:
    clip = _made_clip(4)
    plain = disguise(clip, 0.0, 0.0, np.random.default_rng(0))
    for name in ("decoded_THWC", "warp_THWC", "truth_THWC"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(clip, name))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_stage_leaves_a_whole_model(packed: Path, tmp_path: Path) -> None:
    stage3 = _save_stage_3(tmp_path)
    done = train_stage(_settings(tmp_path), "refiner", packed)
    assert done.weights == tmp_path / "models" / "refiner"
    assert {"loss", "pixel_l1", "decoded_l1", "lpips"} <= done.metrics.keys()
    verify_finished(done.weights)
    refiner = find_refiner(done.weights)
    assert refiner is not None
    learned = load_checkpoint(refiner, Refiner)
    assert learned.config == get_preset("tiny").refiner
    assert learned.leave.weight.any()
    assert find_refiner(stage3) is None
    assert (done.weights / "model.safetensors").read_bytes() == (stage3 / "model.safetensors").read_bytes()


def test_a_preset_without_one_takes_the_last_stage_over(tmp_path: Path) -> None:
    settings = _settings(tmp_path, **{"model.preset": "wan-1.3b"})
    with pytest.raises(TrainingError, match="--stage 3"):
        train_stage(settings, "refiner", tmp_path / "clips.arrow")
    stage3 = _save_stage_3(tmp_path, "wan-1.3b")
    done = train_stage(settings, "refiner", tmp_path / "clips.arrow")
    assert done.metrics == {"steps": 0.0}
    verify_finished(done.weights)
    assert (done.weights / "manifest.json").read_bytes() == (stage3 / "manifest.json").read_bytes()
