"""Make the latents that the diffusion stages read (`latents.LatentClips`).

A shard of latents is named after its shard of clips, which is named after its content, after the VAE and after the
version of the warp: what has been encoded is not encoded again, whatever else changes.

Legend: B batch, T video frames, F latent frames, R reference frames, C channels, H W training frame or latent.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file, write_json
from dreamactor_core.process_map import map_in_workers, worker_number
from dreamactor_core.settings import Settings
from dreamactor_core.settings.training import TrainingSettings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.shards.archive import Place, write_error, write_shard
from dreamactor_dataset.shards.places import write_places
from dreamactor_dataset.shards.record import pack_record
from dreamactor_signals.warp import VERSION as WARP_VERSION
from dreamactor_signals.warp import ReferenceWarp

from dreamactor_model.animate.references import encode_images
from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint
from dreamactor_model.presets import TEMPORAL_STRIDE, get_preset, video_frames
from dreamactor_model.training.data.latents import HALF_BODIES, INDEX, LATENTS, VIEWS, WARPS, latent_frames_within
from dreamactor_model.training.stages import output_dir
from dreamactor_model.training.pixel_losses import to_model_range
from dreamactor_model.vae import VideoVAE


def encode_clips(settings: Settings, manifest: Path) -> Path:
    """Encode the training clips with the VAE of stage vae, by `training.processes`, on their GPUs where these are used.

    Returns the folder; its index appears when all is done.

    Args:
        manifest: the index of the packed clips.

    Raises:
        TrainingError: the VAE has not been trained, or GPUs are asked for where there are none.
        ShardError: a clip is damaged.
        StorageError: there is no room. What was finished stays; the same command goes on there.
    """
    vae_folder = output_dir(settings.training, "vae")
    if not vae_folder.exists():
        raise TrainingError(
            "the VAE has not been trained", path=vae_folder, remedy="Train it with: dreamactor model train --stage vae"
        )
    clips = ClipSet.load(manifest, "train", settings.dataset.sampling)
    warps = get_preset(settings.model.preset).actor.reference_warp
    folder, vae_sha256 = Path(settings.training.latents_dir), sha256_file(vae_folder / MANIFEST_FILE)
    source = _Source(settings.model_dump_json(), manifest, vae_folder, vae_sha256, clips.sha256, warps)
    shards = {
        folder / f"{Path(name).stem}-{vae_sha256[:16]}{f'-warps{WARP_VERSION}' if warps else ''}.tar": members
        for name, members in clips.by_shard().items()
    }
    found = {shard: known for shard in shards if (known := _finished(shard)) is not None}
    missing = [(shard, members) for shard, members in shards.items() if shard not in found]
    processes = min(_processes(settings.training), len(missing))
    encoded = map_in_workers(partial(_encode_shard, source, processes), missing, processes, folder)
    found |= dict(progress(encoded, "encoding clips", total=len(missing)))
    places = {
        clip: (number, found[shard][clips.clip_id(clip)])
        for number, (shard, members) in enumerate(shards.items())
        for clip in members
    }
    ordered, names = [places[clip] for clip in range(len(clips))], [shard.name for shard in shards]
    about = {"vae": vae_sha256, "clips": clips.sha256} | ({"warps": "all references"} if warps else {})
    write_places(folder / INDEX, ordered, names, about)
    _drop_others(folder, names)
    return folder


@dataclass(frozen=True)
class _Source:
    """What a worker process opens; the hashes tell that it is still the same."""

    settings: str
    manifest: Path
    vae_folder: Path
    vae_sha256: str
    clips_sha256: str
    warps: bool


def _processes(training: TrainingSettings) -> int:
    """One a GPU where these are used, else as many as train."""
    return training.processes if _gpus(training) == 0 else min(training.processes, _gpus(training))


def _gpus(training: TrainingSettings) -> int:
    found = torch.cuda.device_count()
    if training.accelerator == "cuda" and found == 0:
        raise TrainingError(
            "training.accelerator asks for GPUs, and none is here",
            remedy="Check the driver and CUDA_VISIBLE_DEVICES, or add --set training.accelerator=auto",
        )
    return 0 if training.accelerator == "cpu" else found


@torch.inference_mode()
def _encode_shard(source: _Source, processes: int, job: tuple[Path, Sequence[int]]) -> tuple[Path, dict[str, Place]]:
    """In one of so many processes; returns the shard and its places."""
    shard, members = job
    if processes > 1:
        # This is a process of its own, and the cores are shared.
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    places, _ = write_shard(shard, _encoder(source).records(members))
    notes = {"bytes": shard.stat().st_size, "places": {name: [each.offset, each.size] for name, each in places.items()}}
    try:
        write_json(shard.with_suffix(".json"), notes)
    except OSError as problem:
        raise write_error(problem, shard) from problem
    return shard, places


@lru_cache(maxsize=1)
def _encoder(source: _Source) -> "_Encoder":
    settings = Settings(**json.loads(source.settings))
    clips = ClipSet.load(source.manifest, "train", settings.dataset.sampling)
    gpus = _gpus(settings.training)
    device = torch.device("cuda", worker_number() % gpus) if gpus else torch.device("cpu")
    return _Encoder(load_checkpoint(source.vae_folder, VideoVAE, device=device), clips, warps=source.warps)


def _finished(shard: Path) -> dict[str, Place] | None:
    """The places in a shard that an earlier run finished."""
    try:
        notes = json.loads(shard.with_suffix(".json").read_text())
        whole = notes["bytes"] == shard.stat().st_size
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return {clip_id: Place(*place) for clip_id, place in notes["places"].items()} if whole else None


def _drop_others(folder: Path, shards: Sequence[str]) -> None:
    wanted = {INDEX, *shards, *(Path(name).with_suffix(".json").name for name in shards)}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()


class _Encoder:
    """Records of encoded clips. Half precision on disk: latents are of order one, and noise is added to them."""

    def __init__(self, vae: VideoVAE, clips: ClipSet, *, warps: bool) -> None:
        self._vae, self._clips, self._has_warps = vae, clips, warps

    def records(self, members: Sequence[int]) -> Iterator[tuple[str, bytes]]:
        """Clip id and record of each."""
        for clip in members:
            yield self._clips.clip_id(clip), pack_record(self._arrays(clip), {})

    def _arrays(self, clip: int) -> dict[str, np.ndarray]:
        frames_THWC = self._clips.frames(clip)
        usable = video_frames(latent_frames_within(len(frames_THWC)))
        views_BHWC = frames_THWC[self._clips.table.yaw_frames[clip]]
        arrays = {LATENTS: self._encode(frames_THWC[None, :usable])[0].swapaxes(0, 1), VIEWS: self._images(views_BHWC)}
        if self._clips.table.full_body[clip]:
            arrays[HALF_BODIES] = self._images(self._clips.half_bodies(clip))
        if self._has_warps:
            arrays[WARPS] = self._images(self._warps(clip, frames_THWC[:usable]))
        return arrays

    def _warps(self, clip: int, frames_THWC: np.ndarray) -> np.ndarray:
        """(R * F, H, W, 3) uint8: every reference frame as the last video frame of each latent frame has it."""
        track = self._clips.fitted_track(clip)
        poses = track[: len(frames_THWC) : TEMPORAL_STRIDE]
        warps = (ReferenceWarp(frames_THWC[at], track[at : at + 1]) for at in self._clips.table.yaw_frames[clip])
        return np.concatenate([warp.frames(poses) for warp in warps])

    def _images(self, images_BHWC: np.ndarray) -> np.ndarray:
        """(B, C, H, W) latents of single pictures."""
        latents_BCHW: np.ndarray = encode_images(self._vae, images_BHWC).half().cpu().numpy()
        return latents_BCHW

    def _encode(self, frames_BTHWC: np.ndarray) -> np.ndarray:
        """(B, C, F, H, W) float16."""
        frames = torch.from_numpy(np.ascontiguousarray(frames_BTHWC)).to(self._vae.latents_mean_C.device)
        latents_BCFHW: np.ndarray = self._vae.encode(to_model_range(frames)).half().cpu().numpy()
        return latents_BCFHW
