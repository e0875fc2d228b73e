"""Encoded clips: windows of them are what the VAE makes of the whole clip, and nothing stale or damaged is read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dreamactor_core.errors import ShardError, TrainingError
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.dataset import ShardsSettings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.sampling import WindowSampler
from dreamactor_dataset.shards.pack import pack_clips
from dreamactor_model.animate.references import encode_images
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.presets import get_preset
from dreamactor_model.training.data.latent_encoding import encode_clips
from dreamactor_model.training.data.latents import LatentClips
from dreamactor_model.vae import VideoVAE
from dreamactor_signals.warp import ReferenceWarp

AREA = 64 * 64


def _settings(folder: Path, processes: int = 1) -> Settings:
    return load_settings(
        {
            "training.processes": processes,
            "dataset.sampling.area": AREA,
            "dataset.sampling.min_frames": 9,
            "training.models_dir": str(folder / "models"),
            "training.latents_dir": str(folder / "latents"),
        }
    )


def _save_vae(folder: Path, seed: int) -> VideoVAE:
    torch.manual_seed(seed)
    vae = VideoVAE(get_preset("tiny").vae).eval()
    save_checkpoint(vae, folder / "models" / "vae", about={})
    return vae


def _pack(manifest: Path, folder: Path, quality: int = 95) -> Path:
    return pack_clips(manifest, folder / "shards", ShardsSettings(clips=2, quality=quality), area=AREA)


@pytest.fixture
def packed(clip_manifest: Path, tmp_path: Path) -> Path:
    return _pack(clip_manifest, tmp_path)


def _open(folder: Path, packed: Path) -> tuple[ClipSet, LatentClips]:
    clips = ClipSet.load(packed, "train", _settings(folder).dataset.sampling)
    return clips, LatentClips(folder / "latents", clips, folder / "models" / "vae")


def test_a_window_is_a_part_of_the_encoded_clip(packed: Path, tmp_path: Path) -> None:
    settings, vae = _settings(tmp_path), _save_vae(tmp_path, 0)
    encode_clips(settings, packed)
    clips, latents = _open(tmp_path, packed)
    sampler = WindowSampler(clips.table, settings.dataset.sampling, seed=3, batch_size=1)
    for index in range(4):
        (draw,) = sampler.batch(index)
        window = latents.window(draw)
        frames_THWC = clips.frames(draw.clip_index)
        video_BCTHW = torch.from_numpy(frames_THWC[None]).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
        with torch.inference_mode():
            whole_CFHW = vae.encode(video_BCTHW)[0].numpy()
            view_CFHW = vae.encode(video_BCTHW[:, :, [draw.reference_frames[0]]])[0].numpy()
        first, count = draw.start // 4, (draw.frame_count - 1) // 4 + 1
        np.testing.assert_allclose(window.latents_CFHW, whole_CFHW[:, first : first + count], rtol=2e-3, atol=2e-3)
        np.testing.assert_allclose(window.references_RCHW[0], view_CFHW[:, 0], rtol=2e-3, atol=2e-3)
        assert window.latents_CFHW.dtype == window.references_RCHW.dtype == np.float32
        assert len(window.references_RCHW) == draw.reference_count


def test_gpus_that_are_asked_for_and_not_there_are_missed(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    _save_vae(tmp_path, 0)
    settings = _settings(tmp_path)
    training = settings.training.model_copy(update={"accelerator": "cuda"})
    with pytest.raises(TrainingError, match="none is here.*training.accelerator=auto"):
        encode_clips(settings.model_copy(update={"training": training}), packed)
    assert not (tmp_path / "latents" / "latents.arrow").exists()


def test_of_each_reference_a_warp_is_encoded(packed: Path, tmp_path: Path) -> None:
    settings, vae = _settings(tmp_path), _save_vae(tmp_path, 0)
    encode_clips(settings, packed)
    clips = ClipSet.load(packed, "train", settings.dataset.sampling)
    latents = LatentClips(tmp_path / "latents", clips, tmp_path / "models" / "vae", warps=True)
    sampler = WindowSampler(clips.table, settings.dataset.sampling, seed=3, batch_size=1)
    for index in range(4):
        (draw,) = sampler.batch(index)
        leading = draw.reference_frames[draw.augmentation % len(draw.reference_frames)]
        track, frame_HWC = clips.fitted_track(draw.clip_index), clips.frames(draw.clip_index, [leading])[0]
        poses = track[draw.start : draw.start + draw.frame_count : 4]
        pictures = ReferenceWarp(frame_HWC, track[leading : leading + 1]).frames(poses)
        expected_FCHW = encode_images(vae, pictures).numpy()
        np.testing.assert_allclose(latents.window(draw).warp_CFHW.swapaxes(0, 1), expected_FCHW, rtol=2e-3, atol=2e-3)
    assert _open(tmp_path, packed)[1].window(draw).warp_CFHW is None


def test_clips_encoded_without_warps_are_refused_where_they_are_read(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _save_vae(tmp_path, 0)
    tiny = get_preset("tiny")
    plain = replace(tiny, actor=replace(tiny.actor, reference_warp=False))
    monkeypatch.setattr("dreamactor_model.training.data.latent_encoding.get_preset", lambda _: plain)
    encode_clips(_settings(tmp_path), packed)
    clips, _ = _open(tmp_path, packed)
    with pytest.raises(TrainingError, match="without warped references") as caught:
        LatentClips(tmp_path / "latents", clips, tmp_path / "models" / "vae", warps=True)
    assert "encode-latents" in caught.value.remedy


@pytest.mark.slow
def test_several_processes_encode_what_one_does(packed: Path, tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    _save_vae(tmp_path, 0)
    windows = []
    for processes in (1, 2):
        folder = encode_clips(_settings(tmp_path, processes), packed)
        assert len(list(folder.glob("*.tar"))) > 1
        clips, latents = _open(tmp_path, packed)
        sampler = WindowSampler(clips.table, settings.dataset.sampling, seed=3, batch_size=len(clips))
        windows.append([latents.window(draw) for draw in sampler.batch(0)])
        folder.rename(tmp_path / f"by-{processes}")
    for alone, together in zip(*windows, strict=True):
        # Another number of threads adds in another order.
        np.testing.assert_allclose(together.latents_CFHW, alone.latents_CFHW, rtol=2e-3, atol=2e-3)
        np.testing.assert_allclose(together.references_RCHW, alone.references_RCHW, rtol=2e-3, atol=2e-3)


def test_what_is_encoded_is_not_encoded_again(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _save_vae(tmp_path, 0)
    folder = encode_clips(_settings(tmp_path), packed)
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.tar")}

    def refuse(*_: object) -> None:
        raise AssertionError("something was encoded")

    monkeypatch.setattr(VideoVAE, "encode", refuse)
    encode_clips(_settings(tmp_path), packed)
    assert {path.name: path.stat().st_mtime_ns for path in folder.glob("*.tar")} == before


def test_latents_of_other_clips_or_by_another_vae_are_refused(
    clip_manifest: Path, packed: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"VAE has not been trained.*--stage vae"):
        encode_clips(_settings(tmp_path), packed)
    _save_vae(tmp_path, 0)
    with pytest.raises(TrainingError, match=r"no encoded clips.*encode-latents"):
        _open(tmp_path, packed)
    folder = encode_clips(_settings(tmp_path), packed)
    old = {path.name for path in folder.glob("*.tar")}
    _save_vae(tmp_path, 1)
    with pytest.raises(TrainingError, match="by another VAE"):
        _open(tmp_path, packed)
    encode_clips(_settings(tmp_path), packed)
    _open(tmp_path, packed)
    assert old.isdisjoint(path.name for path in folder.glob("*.tar"))
    _pack(clip_manifest, tmp_path, quality=80)
    with pytest.raises(TrainingError, match="other clips"):
        _open(tmp_path, packed)


def test_damaged_latents_are_told_by_the_clips_name(packed: Path, tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    _save_vae(tmp_path, 0)
    folder = encode_clips(settings, packed)
    for shard in folder.glob("*.tar"):
        shard.write_bytes(shard.read_bytes()[:600] + bytes(shard.stat().st_size - 600))
    clips, latents = _open(tmp_path, packed)
    (draw,) = WindowSampler(clips.table, settings.dataset.sampling, seed=0, batch_size=1).batch(0)
    with pytest.raises(ShardError, match=f"clip {clips.clip_id(draw.clip_index)} "):
        latents.window(draw)
