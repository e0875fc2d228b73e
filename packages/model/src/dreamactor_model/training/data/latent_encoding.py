"""Make the latents that the diffusion stages read (`latents.LatentClips`).

A shard of latents is named after its shard of clips, which is named after its content, and after the VAE: what has
been encoded is not encoded again, whatever else changes.

Legend: B batch, T video frames, F latent frames, R reference frames, C channels, H W training frame or latent.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file, write_json
from dreamactor_core.settings import Settings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.shards.archive import Place, write_error, write_shard
from dreamactor_dataset.shards.places import write_places
from dreamactor_dataset.shards.record import pack_record
from dreamactor_signals.warp import ReferenceWarp

from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint
from dreamactor_model.presets import TEMPORAL_STRIDE, get_preset, video_frames
from dreamactor_model.training.data.latents import HALF_BODIES, INDEX, LATENTS, VIEWS, WARPS, latent_frames_within
from dreamactor_model.training.stages import output_dir
from dreamactor_model.vae import VideoVAE


@torch.inference_mode()
def encode_clips(settings: Settings, manifest: Path) -> Path:
    """Encode the training clips with the VAE of stage vae. Returns the folder; its index appears when all is done.

    Args:
        manifest: the index of the packed clips.

    Raises:
        TrainingError: the VAE has not been trained.
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
    encoder = _Encoder(load_checkpoint(vae_folder, VideoVAE), clips, warps=warps)
    folder, vae_sha256 = Path(settings.training.latents_dir), sha256_file(vae_folder / MANIFEST_FILE)
    places: dict[int, tuple[int, Place]] = {}
    shards = []
    for number, (name, members) in enumerate(progress(clips.by_shard().items(), "encoding clips")):
        shard = folder / f"{Path(name).stem}-{vae_sha256[:16]}{'-warps' if warps else ''}.tar"
        found = _finished(shard) or _encode_shard(shard, encoder, members)
        places |= {clip: (number, found[clips.clip_id(clip)]) for clip in members}
        shards.append(shard.name)
    ordered = [places[clip] for clip in range(len(clips))]
    about = {"vae": vae_sha256, "clips": clips.sha256} | ({"warps": "all references"} if warps else {})
    write_places(folder / INDEX, ordered, shards, about)
    _drop_others(folder, shards)
    return folder


def _encode_shard(shard: Path, encoder: "_Encoder", members: Sequence[int]) -> dict[str, Place]:
    places, _ = write_shard(shard, encoder.records(members))
    notes = {"bytes": shard.stat().st_size, "places": {name: [each.offset, each.size] for name, each in places.items()}}
    try:
        write_json(shard.with_suffix(".json"), notes)
    except OSError as problem:
        raise write_error(problem, shard) from problem
    return places


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
        return self._encode(images_BHWC[:, None])[:, :, 0]

    def _encode(self, frames_BTHWC: np.ndarray) -> np.ndarray:
        """(B, C, F, H, W) float16."""
        video_BCTHW = torch.from_numpy(np.ascontiguousarray(frames_BTHWC)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
        latents_BCFHW: np.ndarray = self._vae.encode(video_BCTHW).half().numpy()
        return latents_BCFHW
