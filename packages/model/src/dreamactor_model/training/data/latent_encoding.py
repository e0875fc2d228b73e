"""Make the latents that the diffusion stages read (`latents.LatentClips`).

Legend: B batch, T video frames, R reference images, H W training frame; 3 colours.
"""

from pathlib import Path

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import atomic_directory, save_tensors, sha256_file, write_json
from dreamactor_core.settings import Settings
from dreamactor_dataset.samples import SampleLoader
from dreamactor_dataset.sampling import Draw

from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint
from dreamactor_model.training.data.latents import INDEX
from dreamactor_model.training.data.prepared import PreparedClips, prepare_clips, prepared_folder
from dreamactor_model.training.stages import output_dir
from dreamactor_model.vae import VideoVAE

_HALF_BODY_CROPS = 4


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
        write_json(temporary / INDEX, {"vae": sha256_file(vae_folder / MANIFEST_FILE), "videos": videos})
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
