"""Clips as VAE latents on disk, made once: the diffusion stages never decode a video nor run the VAE.

A clip is one safetensors file: the latents of the whole clip, of its reference frames as single images, of some
half-body crops, and its face crops. `index.json` says from which clips and by which VAE they were made.
Legend: T video frames, F latent frames, C channels, H W latent rows and columns, R reference images, S crop side.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import atomic_directory, save_tensors, sha256_file, write_json
from dreamactor_core.settings import Settings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.samples import SampleLoader
from dreamactor_dataset.sampling import Draw
from safetensors import safe_open

from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint
from dreamactor_model.training.prepared import PreparedClips, prepare_clips, prepared_folder
from dreamactor_model.training.stages import output_dir
from dreamactor_model.vae import VideoVAE

_INDEX = "index.json"
_HALF_BODY_CROPS = 4


@dataclass(frozen=True)
class ClipWindow:
    """What one draw reads.

    Attributes:
        latents_CFHW: (C, F, H, W) float32, the window's.
        references_RCHW: (R, C, H, W) float32.
        crops_THWC: (T, S, S, 3) uint8.
    """

    latents_CFHW: np.ndarray
    references_RCHW: np.ndarray
    crops_THWC: np.ndarray


class LatentClips:
    """The encoded clips, read by memory map.

    Args:
        folder: what `encode_clips` wrote.
        clips: the clips to train on; all must have been encoded.

    Raises:
        TrainingError: nothing was encoded, or from other clips or by another VAE than the ones given.
    """

    def __init__(self, folder: Path, clips: ClipSet, vae_folder: Path) -> None:
        self._folder, self._clips = folder, clips
        remedy = "Encode them with: dreamactor model encode-latents"
        if not (folder / _INDEX).exists():
            raise TrainingError("there are no encoded clips", path=folder, remedy=remedy)
        index = json.loads((folder / _INDEX).read_text())
        if index["vae"] != sha256_file(vae_folder / MANIFEST_FILE):
            raise TrainingError("the clips were encoded by another VAE", path=folder, remedy=remedy)
        for row in clips.rows:
            if index["videos"].get(row.clip_id) != row.sha256:
                raise TrainingError(f"clip {row.clip_id} has not been encoded", path=folder, remedy=remedy)

    def window(self, draw: Draw) -> ClipWindow:
        """The draw's part of its clip. Latent f > 0 of a clip covers its frames 4f-3 to 4f."""
        first, count = draw.start // 4, (draw.frame_count - 1) // 4 + 1
        path = self._folder / f"{self._clips.rows[draw.clip_index].clip_id}.safetensors"
        with safe_open(path, framework="np") as file:
            return ClipWindow(
                file.get_slice("latents")[:, first : first + count],
                self._references(file, draw),
                file.get_slice("crops")[draw.start : draw.start + draw.frame_count],
            )

    def _references(self, file: safe_open, draw: Draw) -> np.ndarray:
        yaw_frames = self._clips.table.yaw_frames[draw.clip_index].tolist()
        views_RCHW = file.get_slice("views")[:]
        chosen = [views_RCHW[yaw_frames.index(frame)] for frame in draw.reference_frames]
        if draw.half_body_frame is not None:
            half_bodies_RCHW = file.get_slice("half_bodies")[:]
            length = self._clips.table.lengths[draw.clip_index]
            chosen.append(half_bodies_RCHW[draw.half_body_frame * len(half_bodies_RCHW) // length])
        return np.stack(chosen)


@torch.inference_mode()
def encode_clips(settings: Settings, manifest: Path) -> Path:
    """Encode the training clips with the VAE of stage vae. Returns the folder, which appears whole or not at all.

    Raises:
        TrainingError: the VAE has not been trained.
        InputError, DecodeError, TrackError: a clip or its track cannot be read.
    """
    training, sampling = settings.training, settings.dataset.sampling
    vae_folder = output_dir(training, "vae")
    if not vae_folder.exists():
        raise TrainingError(
            "the VAE has not been trained", path=vae_folder, remedy="Train it with: dreamactor model train --stage vae"
        )
    vae = load_checkpoint(vae_folder, VideoVAE)
    prepared = prepare_clips(manifest, "train", sampling, prepared_folder(training))
    loader = SampleLoader(prepared.clips, sampling)
    folder = Path(training.latents_dir)
    with atomic_directory(folder) as temporary:
        for clip in progress(range(len(prepared)), "encoding clips"):
            _encode_clip(vae, prepared, loader, clip, temporary)
        videos = {row.clip_id: row.sha256 for row in prepared.clips.rows}
        write_json(temporary / _INDEX, {"vae": sha256_file(vae_folder / MANIFEST_FILE), "videos": videos})
    return folder


def _encode_clip(vae: VideoVAE, prepared: PreparedClips, loader: SampleLoader, clip: int, folder: Path) -> None:
    row, table = prepared.clips.rows[clip], prepared.clips.table
    frames_THWC = prepared.frames(clip)
    usable = (len(frames_THWC) - 1) // 4 * 4 + 1
    views_RHWC = frames_THWC[table.yaw_frames[clip]]
    tensors = {
        "latents": _encode(vae, frames_THWC[None, :usable])[0],
        "views": _encode(vae, views_RHWC[:, None])[:, :, 0],
        "crops": prepared.crops(clip, 0, usable),
    }
    if table.full_body[clip]:
        half_bodies_RHWC = _half_bodies(prepared, loader, clip)
        tensors["half_bodies"] = _encode(vae, half_bodies_RHWC[:, None])[:, :, 0]
    save_tensors(folder / f"{row.clip_id}.safetensors", tensors, {"clip": row.clip_id, "video": row.sha256})


def _half_bodies(prepared: PreparedClips, loader: SampleLoader, clip: int) -> np.ndarray:
    """(R, H, W, 3) half-body crops of frames evenly spread over the clip; a drawn frame takes the nearest."""
    length = int(prepared.clips.table.lengths[clip])
    width, height = prepared.clips.table.sizes[clip]
    frames = [(2 * part + 1) * length // (2 * _HALF_BODY_CROPS) for part in range(_HALF_BODY_CROPS)]
    draws = [
        Draw(
            clip_index=clip,
            epoch=0,
            position=0,
            start=0,
            frame_count=1,
            size=(int(width), int(height)),
            carried=False,
            reference_frames=(),
            half_body_frame=frame,
            drop_reference=False,
            drop_motion=False,
            use_truth=False,
        )
        for frame in frames
    ]
    return np.concatenate([loader.references(draw) for draw in draws])


def _encode(vae: VideoVAE, frames_BTHWC: np.ndarray) -> np.ndarray:
    video_BCTHW = torch.from_numpy(np.ascontiguousarray(frames_BTHWC)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    latents: np.ndarray = vae.encode(video_BCTHW).numpy()
    return latents
