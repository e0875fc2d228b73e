"""Clips as VAE latents on disk, made once: the diffusion stages never decode a video nor run the VAE.

A clip is one safetensors file: the latents of the whole clip, of its reference frames as single images, of some
half-body crops, and its face crops. `index.json` says from which clips and by which VAE they were made.
Legend: T video frames, F latent frames, C channels, H W latent rows and columns, R reference images, S crop side.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.sampling import Draw
from safetensors import safe_open

from dreamactor_model.checkpoint import MANIFEST_FILE

INDEX = "index.json"


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
        folder: what `latent_encoding.encode_clips` wrote.
        clips: the clips to train on; all must have been encoded.

    Raises:
        TrainingError: nothing was encoded, or from other clips or by another VAE than the ones given.
    """

    def __init__(self, folder: Path, clips: ClipSet, vae_folder: Path) -> None:
        self._folder, self._clips = folder, clips
        remedy = "Encode them with: dreamactor model encode-latents"
        if not (folder / INDEX).exists():
            raise TrainingError("there are no encoded clips", path=folder, remedy=remedy)
        index = json.loads((folder / INDEX).read_text())
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
