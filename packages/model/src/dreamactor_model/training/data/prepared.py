"""Clips decoded once for training: frames at the training size and face crops, uint8, read back by memory map.

Stage vae reads every clip many times, the latent encoder all of each; decoding would dominate on few cores.
Legend: T video frames, H W training frame, S crop side, C colours.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from dreamactor_core.console import progress
from dreamactor_core.files import save_tensors, sha256_file
from dreamactor_core.manifest import Split
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_core.settings.training import TrainingSettings
from dreamactor_core.video import read_frames
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.fitting import Fit
from safetensors import safe_open

from dreamactor_model.training.spec import TrainingSpec

_DECODERS = 2


@dataclass(frozen=True, eq=False)
class PreparedClips:
    """The clips of one split on disk; indices are those of `clips.table`."""

    clips: ClipSet
    folder: Path

    @classmethod
    def open(cls, spec: TrainingSpec) -> "PreparedClips":
        """The training clips of a run; the launcher has prepared them, so that ranks do not decode the same clips."""
        settings = spec.parsed_settings()
        return prepare_clips(spec.manifest, "train", settings.dataset.sampling, prepared_folder(settings.training))

    def __len__(self) -> int:
        return len(self.clips)

    def frames(self, clip_index: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """(T, H, W, 3) uint8 at the training size."""
        return self._slice("frames", clip_index, start, stop)

    def crops(self, clip_index: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """(T, S, S, 3) uint8 face crops, black where no face was found."""
        return self._slice("crops", clip_index, start, stop)

    def _slice(self, name: str, clip_index: int, start: int, stop: int | None) -> np.ndarray:
        with safe_open(_file(self.folder, self.clips, clip_index), framework="np") as file:
            part: np.ndarray = file.get_slice(name)[start:stop]
        return part


def prepared_folder(training: TrainingSettings) -> Path:
    """Where prepared clips are kept."""
    return Path(training.work_dir) / "prepared"


def prepare_clips(manifest: Path, split: Split, sampling: SamplingDataSettings, cache: Path) -> PreparedClips:
    """Decode what the cache does not hold yet.

    Args:
        cache: folder of all prepared clips; kept by the manifest's hash, which holds the videos' and tracks' names.
    """
    clips = ClipSet.load(manifest, split, sampling)
    key = hashlib.sha256(f"{sha256_file(manifest)} {sampling.area}".encode()).hexdigest()[:16]
    folder = cache / key
    missing = [index for index in range(len(clips)) if not _file(folder, clips, index).exists()]
    if missing:
        # Decoding happens in child processes: threads keep several of them busy.
        with ThreadPoolExecutor(_DECODERS) as pool:
            done = pool.map(partial(_prepare, clips, folder), missing)
            for _ in progress(done, f"decoding {split} clips", len(missing)):
                pass
    return PreparedClips(clips, folder)


def _file(folder: Path, clips: ClipSet, clip_index: int) -> Path:
    return folder / f"{clips.rows[clip_index].clip_id}.safetensors"


def _prepare(clips: ClipSet, folder: Path, clip_index: int) -> None:
    from dreamactor_signals.faces import crop_faces

    row = clips.rows[clip_index]
    width, height = clips.table.sizes[clip_index]
    source_THWC = read_frames(clips.video(clip_index), range(row.frame_count))
    fit = Fit.cover((row.width, row.height), (int(width), int(height)))
    track = clips.reference_track(clip_index)
    tensors = {
        "frames": fit.frames(source_THWC),
        # From the source: the training frame may be too small to show a face.
        "crops": crop_faces(source_THWC, np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)),
    }
    save_tensors(_file(folder, clips, clip_index), tensors, {"clip": row.clip_id, "video": row.sha256})
