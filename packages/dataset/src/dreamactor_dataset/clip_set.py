"""The clips of one split: their rows, their files and the table the sampler works on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import ClipRow, Split, read_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SamplingDataSettings

from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.fitting import bucket_size


@dataclass(frozen=True, eq=False)
class ClipSet:
    """Kept clips of one split that have a motion track.

    Attributes:
        folder: where the manifest lies; the rows' paths start there.
        rows: one a clip, in the order of the table.
        table: what the sampler needs.
    """

    folder: Path
    rows: tuple[ClipRow, ...]
    table: ClipTable

    @classmethod
    def load(cls, manifest: Path | str, split: Split, settings: SamplingDataSettings) -> "ClipSet":
        """Read the manifest and the tracks it names.

        Raises:
            InputError: no such file, or no clip of the split is kept and has a track.
            ManifestError, TrackError: a damaged manifest or track.
        """
        folder = Path(manifest).parent
        rows = tuple(
            row
            for row in read_manifest(manifest)
            if row.status == "kept" and row.split == split and (row.track or row.truth_track)
        )
        if not rows:
            raise InputError(
                f"has no kept clip with a motion track in split {split!r}",
                path=manifest,
                remedy="Track the clips with: dreamactor signals extract --manifest MANIFEST -o DIR",
            )
        return cls(folder, rows, _table(folder, rows, settings))

    def __len__(self) -> int:
        return len(self.rows)

    def video(self, clip_index: int) -> Path:
        """The clip's video file."""
        return self.folder / self.rows[clip_index].video

    def track(self, clip_index: int, *, truth: bool) -> MotionTrack:
        """The clip's tracked or true motion track."""
        row = self.rows[clip_index]
        path = row.truth_track if truth else row.track
        if path is None:
            raise InputError(f"clip {row.clip_id} has no {'true' if truth else 'tracked'} motion track")
        return MotionTrack.load(self.folder / path)

    def reference_track(self, clip_index: int) -> MotionTrack:
        """The track that chooses references: the tracked one where there is one."""
        return self.track(clip_index, truth=self.rows[clip_index].track is None)


def _table(folder: Path, rows: Sequence[ClipRow], settings: SamplingDataSettings) -> ClipTable:
    views = [_views(folder, row) for row in rows]
    return ClipTable(
        lengths=np.array([row.frame_count for row in rows], dtype=np.int64),
        sizes=np.array([bucket_size(row.width, row.height, settings.area) for row in rows], dtype=np.int64),
        yaw_frames=np.array([frames for frames, _ in views], dtype=np.int64),
        full_body=np.array([full_body for _, full_body in views]),
        has_track=np.array([row.track is not None for row in rows]),
        has_truth=np.array([row.truth_track is not None for row in rows]),
    )


def _views(folder: Path, row: ClipRow) -> tuple[tuple[int, int, int], bool]:
    """The yaw frames, and whether a half-body crop can be had of a full-body clip."""
    from dreamactor_signals.views import framing, half_body_frame, pick_views

    path = row.track or row.truth_track
    assert path is not None  # ClipSet.load keeps no row without one
    track = MotionTrack.load(folder / path)
    if len(track) != row.frame_count:
        raise InputError(
            f"{len(track)} frames, but clip {row.clip_id} has {row.frame_count}",
            path=folder / path,
            remedy="Track the clips again",
        )
    full = (row.framing or framing(track)) == "full"
    most, least, median = (int(frame) for frame in pick_views(track))
    return (most, least, median), full and half_body_frame(track, 0) is not None
