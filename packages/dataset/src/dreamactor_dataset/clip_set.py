"""The clips of one split: their rows, their pictures and tracks out of the shards, the table the sampler works on.

Legend: T frames, H W training frame, S side of a face crop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError, ShardError, TrackError
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow, Split
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import BalanceSettings, SamplingDataSettings

from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.fitting import Fit, shrink_frames
from dreamactor_dataset.shards.archive import ShardReader
from dreamactor_dataset.shards.contents import (
    CROPS,
    FACE_PX,
    FRAMES,
    HALF_BODIES,
    HALF_BODY_CROPS,
    TRACK,
    TRUTH,
)
from dreamactor_dataset.shards.index import ShardIndex
from dreamactor_dataset.shards.pictures import read_pictures
from dreamactor_dataset.shards.record import REMEDY, Record


@dataclass(frozen=True, eq=False)
class ClipSet:
    """Packed clips of one split.

    Attributes:
        rows: one a clip, in the order of the table.
        table: what the sampler needs.
        sha256: of the index, and so of all clips and shards.
    """

    rows: Sequence[ClipRow]
    table: ClipTable
    sha256: str
    _index: ShardIndex
    _reader: ShardReader
    _shrink: int

    @classmethod
    def load(
        cls,
        index: Path | str,
        split: Split,
        settings: SamplingDataSettings,
        balance: BalanceSettings | None = None,
        *,
        fineness: int = 1,
    ) -> "ClipSet":
        """Open the clips that `dreamactor dataset pack` packed.

        Args:
            index: `clips.arrow`, beside the shards.
            balance: shares that the sampler is to meet; None shows every clip once an epoch.
            fineness: sides of the frames that are wanted, in those of training frames.

        Raises:
            InputError: no such file, no clip of the split, or packed for frames of another area or not as fine.
            ManifestError: a damaged index.
        """
        opened = ShardIndex.open(index, split)
        if opened.about.area != settings.area:
            raise InputError(
                f"packed for frames of {opened.about.area} pixels, dataset.sampling.area is {settings.area}",
                path=index,
                remedy=REMEDY,
            )
        if opened.about.fineness % fineness:
            raise InputError(
                f"packed {opened.about.fineness} times as fine as training frames, {fineness} times is wanted",
                path=index,
                remedy=f"{REMEDY} --set dataset.shards.fineness={fineness}",
            )
        reader = ShardReader(Path(index).parent, opened.about.shards)
        table = opened.table(balance)
        table = replace(table, bucket_sizes=fineness * table.bucket_sizes)
        return cls(opened.rows, table, sha256_file(index), opened, reader, opened.about.fineness // fineness)

    def __len__(self) -> int:
        return len(self.rows)

    def clip_id(self, clip_index: int) -> str:
        """The clip's name, without the rest of its row."""
        return self._index.rows.clip_id(clip_index)

    def by_shard(self) -> dict[str, list[int]]:
        """The clips of each shard, by its name."""
        shards: dict[str, list[int]] = {}
        for clip in range(len(self)):
            shards.setdefault(self._index.about.shards[self._index.place(clip)[0]], []).append(clip)
        return shards

    def frames(self, clip_index: int, chosen: Sequence[int] | None = None) -> np.ndarray:
        """(T, H, W, 3) uint8 at the size that the table says; all frames unless some are chosen.

        Raises:
            ShardError: they are damaged or missing.
        """
        return self._shrunk(FRAMES, clip_index, chosen)

    def crops(self, clip_index: int, chosen: Sequence[int] | None = None) -> np.ndarray:
        """(T, S, S, 3) uint8 face crops, cut from the source; black where no face was found."""
        return self._pictures(CROPS, clip_index, chosen, (FACE_PX, FACE_PX))

    def half_bodies(self, clip_index: int, frames: Sequence[int] | None = None) -> np.ndarray:
        """(T, H, W, 3) uint8 half-body crops, cut from the source; all that there are, or those nearest to frames."""
        every = range(HALF_BODY_CROPS)
        chosen = every if frames is None else [self.half_body_slot(clip_index, frame) for frame in frames]
        return self._shrunk(HALF_BODIES, clip_index, chosen)

    def half_body_slot(self, clip_index: int, frame: int) -> int:
        """Which of the half-body crops is nearest to a frame."""
        return frame * HALF_BODY_CROPS // int(self.table.lengths[clip_index])

    def face_center_px(self, clip_index: int, frame: int) -> np.ndarray | None:
        """(2,) x and y of the face in a training frame; None where none is seen."""
        track = self.fitted_track(clip_index)[frame : frame + 1]
        if not track.face_confidence[0] > 0:
            return None
        return np.asarray(track.face_boxes_px[0].reshape(2, 2).mean(axis=0))

    def track(self, clip_index: int, *, truth: bool) -> MotionTrack:
        """The clip's tracked or true motion track, in pixels of the source.

        Raises:
            ShardError: it is damaged, or there is no such track.
        """
        record = self._record(clip_index)
        (data,) = record.pieces(TRUTH if truth else TRACK, [0])
        try:
            return MotionTrack.from_bytes(data.tobytes(), record.shard)
        except TrackError as problem:
            raise ShardError(problem.problem, path=record.shard, remedy=REMEDY) from problem

    def fitted_track(self, clip_index: int) -> MotionTrack:
        """The track that chooses the clip's references, in pixels of its training frames.

        Raises:
            ShardError: it is damaged.
        """
        return self.fit(clip_index).track(self.track(clip_index, truth=self.references_by_truth(clip_index)))

    def fit(self, clip_index: int) -> Fit:
        """From pixels of the source to those of the clip's training frames."""
        row = self.rows[clip_index]
        return Fit.cover((row.width, row.height), self.table.size(clip_index))

    def references_by_truth(self, clip_index: int) -> bool:
        """Whether the true track chooses the clip's references: only where there is no tracked one."""
        return not self.table.has_track[clip_index]

    def _shrunk(self, name: str, clip_index: int, chosen: Sequence[int] | None) -> np.ndarray:
        """Pictures that were packed finer than is wanted."""
        size = self.table.size(clip_index)
        packed = self._pictures(name, clip_index, chosen, (self._shrink * size[0], self._shrink * size[1]))
        return shrink_frames(packed, self._shrink)

    def _pictures(self, name: str, clip_index: int, chosen: Sequence[int] | None, size: tuple[int, int]) -> np.ndarray:
        wanted = range(int(self.table.lengths[clip_index])) if chosen is None else chosen
        return read_pictures(self._record(clip_index), name, wanted, size)

    def _record(self, clip_index: int) -> Record:
        shard, place = self._index.place(clip_index)
        return self._reader.record(shard, place, self.clip_id(clip_index))
