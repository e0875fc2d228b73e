"""Held-out clips: the first frame is the reference, the clip's own motion drives (paper 4.1).

Legend: T video frames, H W training frame.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import Split, read_manifest
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_core.settings.signals import Guidance
from dreamactor_core.video import read_frames
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.fitting import Fit
from dreamactor_signals.draw import control_maps
from dreamactor_signals.faces import crop_faces

from dreamactor_model.sampling.stream import MotionArrays

_SPLITS: tuple[Split, ...] = ("test", "val")


@dataclass(frozen=True)
class HeldOutClip:
    """One clip the model has not seen.

    Attributes:
        clip_id: its name.
        frames_THWC: (T, H, W, 3) uint8, the truth.
        motion: control maps and face crops of all T frames.
    """

    clip_id: str
    frames_THWC: np.ndarray
    motion: MotionArrays


def load_held_out(
    manifest: Path, sampling: SamplingDataSettings, guidance: Guidance, *, clips: int, frames: int
) -> list[HeldOutClip]:
    """The first clips of split test, or of val where there is no test split.

    Args:
        guidance: what shows the head in control maps.
        clips: how many at most.
        frames: frames of each, from its start.

    Raises:
        InputError: no clip is held out.
    """
    chosen = _held_out_set(manifest, sampling)
    return [_load(chosen, index, frames, guidance) for index in range(min(clips, len(chosen)))]


def _held_out_set(manifest: Path, sampling: SamplingDataSettings) -> ClipSet:
    present = {row.split for row in read_manifest(manifest) if row.status == "kept" and (row.track or row.truth_track)}
    for split in _SPLITS:
        if split in present:
            return ClipSet.load(manifest, split, sampling)
    raise InputError(
        "no clip is held out for evaluation", path=manifest, remedy="Raise dataset.ingest.test_share and ingest again"
    )


def _load(clips: ClipSet, index: int, frames: int, guidance: Guidance) -> HeldOutClip:
    row = clips.rows[index]
    width, height = (int(side) for side in clips.table.sizes[index])
    count = min(frames, row.frame_count)
    source_THWC = read_frames(clips.video(index), range(count))
    track = clips.reference_track(index)[:count]
    fit = Fit.cover((row.width, row.height), (width, height))
    boxes_px = np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
    motion = MotionArrays(control_maps(fit.track(track), (width, height), guidance), crop_faces(source_THWC, boxes_px))
    return HeldOutClip(row.clip_id, fit.frames(source_THWC), motion)
