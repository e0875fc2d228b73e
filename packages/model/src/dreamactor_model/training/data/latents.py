"""Clips as VAE latents on disk, made once: the diffusion stages never run the VAE.

Shards like those of the clips, one record a clip: the latents of the whole clip, of its reference frames as single
images, of its half-body crops and, for models that read them, of each reference frame moved to the pose of every latent
frame. `latents.arrow` says from which clips and by which VAE they were made.
Legend: F latent frames, C channels, H W latent rows and columns, R reference images.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.sampling import Draw
from dreamactor_dataset.shards.places import PlacedRecords
from dreamactor_dataset.shards.record import Record

from dreamactor_model.checkpoint import MANIFEST_FILE

INDEX = "latents.arrow"
REMEDY = "Encode them with: dreamactor model encode-latents"
# What a record holds; the first axis is that of frames or images.
LATENTS, VIEWS, HALF_BODIES, WARPS = "latents", "views", "half_bodies", "warps"


def latent_frames_within(frame_count: int) -> int:
    """Whole latent frames of a clip; up to three video frames at its end belong to none."""
    return (frame_count - 1) // 4 + 1


@dataclass(frozen=True)
class ClipWindow:
    """What one draw reads.

    Attributes:
        latents_CFHW: (C, F, H, W) float32, the window's.
        references_RCHW: (R, C, H, W) float32.
        warp_CFHW: (C, F, H, W) float32, one of the references moved to the window's poses; zeros where none is a whole
            frame; None for models that do not read it.
    """

    latents_CFHW: np.ndarray
    references_RCHW: np.ndarray
    warp_CFHW: np.ndarray | None


class LatentClips:
    """The encoded clips; a window costs its own bytes only, and each of its frames is checked.

    Args:
        folder: what `latent_encoding.encode_clips` wrote.
        clips: the clips to train on; they must have been encoded as they are.
        warps: whether moved references are read too.

    Raises:
        TrainingError: nothing was encoded, or from other clips, by another VAE or for another model than those given.
        ManifestError: the index is damaged.
    """

    def __init__(self, folder: Path, clips: ClipSet, vae_folder: Path, *, warps: bool = False) -> None:
        path = folder / INDEX
        if not path.exists():
            raise TrainingError("there are no encoded clips", path=folder, remedy=REMEDY)
        self._records, self._clips, self._warps = PlacedRecords.open(path, remedy=REMEDY), clips, warps
        if self._records.about["vae"] != sha256_file(vae_folder / MANIFEST_FILE):
            raise TrainingError("the clips were encoded by another VAE", path=folder, remedy=REMEDY)
        if self._records.about["clips"] != clips.sha256:
            raise TrainingError("other clips than these were encoded", path=folder, remedy=REMEDY)
        if warps and not self._records.about.get("warps"):
            raise TrainingError("the clips were encoded without warped references", path=folder, remedy=REMEDY)

    def window(self, draw: Draw) -> ClipWindow:
        """The draw's part of its clip. Latent f > 0 of a clip covers its frames 4f-3 to 4f.

        Raises:
            ShardError: the clip's latents are damaged.
        """
        first, count = draw.start // 4, latent_frames_within(draw.frame_count)
        record = self._records.record(draw.clip_index, self._clips.clip_id(draw.clip_index))
        latents_CFHW = record.rows(LATENTS, first, first + count).astype(np.float32).swapaxes(0, 1)
        warp_CFHW = self._warp(record, draw, latents_CFHW) if self._warps else None
        return ClipWindow(latents_CFHW, self._references(record, draw), warp_CFHW)

    def _warp(self, record: Record, draw: Draw, like_CFHW: np.ndarray) -> np.ndarray:
        frames = draw.reference_frames
        if not frames:
            return np.zeros_like(like_CFHW)
        leading = frames[draw.augmentation % len(frames)]
        slots = self._clips.table.yaw_frames[draw.clip_index].tolist()
        clip_latents = latent_frames_within(int(self._clips.table.lengths[draw.clip_index]))
        first = slots.index(leading) * clip_latents + draw.start // 4
        return record.rows(WARPS, first, first + like_CFHW.shape[1]).astype(np.float32).swapaxes(0, 1)

    def _references(self, record: Record, draw: Draw) -> np.ndarray:
        yaw_frames = self._clips.table.yaw_frames[draw.clip_index].tolist()
        slots = [yaw_frames.index(frame) for frame in draw.reference_frames]
        chosen = [record.rows(VIEWS, slot, slot + 1) for slot in slots]
        if draw.half_body_frame is not None:
            slot = self._clips.half_body_slot(draw.clip_index, draw.half_body_frame)
            chosen.append(record.rows(HALF_BODIES, slot, slot + 1))
        return np.concatenate(chosen).astype(np.float32)
