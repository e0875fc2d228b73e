"""Held-out clips: the first frame is the reference, the clip's own motion drives (paper 4.1).

Legend: T video frames, H W training frame.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import ClipRow, Split, read_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_core.settings.signals import Guidance
from dreamactor_core.video import read_frames
from dreamactor_dataset.balance.evaluation_list import frozen_rows
from dreamactor_dataset.fitting import Fit, bucket_size
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
    manifest: Path,
    sampling: SamplingDataSettings,
    guidance: Guidance,
    *,
    clips: int,
    frames: int,
    frozen: Path | None = None,
) -> list[HeldOutClip]:
    """The clips of the frozen list; without one the first of split test, or of val where there is no test split.

    Args:
        guidance: what shows the head in control maps.
        clips: how many at most.
        frames: frames of each, from its start.
        frozen: `dreamactor dataset freeze` wrote it.

    Raises:
        InputError: no clip is held out, or one of the list is not there any more, or not as it was.
    """
    rows = _held_out_rows(manifest) if frozen is None else frozen_rows(frozen, manifest)
    return [_load(row, manifest.parent, sampling, frames, guidance) for row in rows[:clips]]


def _held_out_rows(manifest: Path) -> list[ClipRow]:
    rows = [row for row in read_manifest(manifest) if row.status == "kept" and (row.track or row.truth_track)]
    for split in _SPLITS:
        if chosen := [row for row in rows if row.split == split]:
            return chosen
    raise InputError(
        "no clip is held out for evaluation", path=manifest, remedy="Raise dataset.ingest.test_share and ingest again"
    )


def _load(row: ClipRow, folder: Path, sampling: SamplingDataSettings, frames: int, guidance: Guidance) -> HeldOutClip:
    size = bucket_size(row.width, row.height, sampling.area)
    count = min(frames, row.frame_count)
    source_THWC = read_frames(folder / row.video, range(count))
    track = MotionTrack.load(folder / str(row.track or row.truth_track))[:count]
    fit = Fit.cover((row.width, row.height), size)
    boxes_px = np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
    motion = MotionArrays(control_maps(fit.track(track), size, guidance), crop_faces(source_THWC, boxes_px))
    return HeldOutClip(row.clip_id, fit.frames(source_THWC), motion)
