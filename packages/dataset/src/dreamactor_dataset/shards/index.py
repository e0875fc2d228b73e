"""clips.arrow: every packed clip in one memory-mapped table, so that workers share its pages and none parses it.

Clips of a split stand together, in the order of their ids. Columns: those of the manifest's rows, where the record
lies, and what the sampler needs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from dreamactor_core.errors import InputError, ManifestError
from dreamactor_core.files import atomic_path, require_file
from dreamactor_core.manifest import ClipRow, Split, manifest_schema
from dreamactor_core.settings.dataset import BalanceSettings
from pydantic import ValidationError

from dreamactor_dataset.balance.weights import Stratum, stratum_weights
from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.shards.archive import Place

if TYPE_CHECKING:
    import pyarrow

INDEX = "clips.arrow"
_ABOUT, _SUMS = b"dreamactor-shards", b"sha256"
_SUM_DIGITS = 64
REMEDY = "Pack the clips with: dreamactor dataset pack"
_COLUMNS = (
    "shard", "offset", "size", "length", "bucket", "stratum", "yaw_frames", "full_body", "has_track", "has_truth",
)  # fmt: skip
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class PackedClip:
    """A clip in a shard.

    Attributes:
        row: of the manifest; `track` and `truth_track` say which tracks there were.
        shard: number of its shard.
        place: of its record in the shard.
        size: width and height of its training frames.
        yaw_frames: of most, least and median yaw.
        full_body: whether it has half-body crops.
    """

    row: ClipRow
    shard: int
    place: Place
    size: tuple[int, int]
    yaw_frames: tuple[int, int, int]
    full_body: bool


@dataclass(frozen=True)
class IndexAbout:
    """What is said once for all clips.

    Attributes:
        area: pixels of a training frame that were asked for.
        sizes: width and height of each bucket's training frames.
        strata: framing, category and source of each.
        shards: file names.
        splits: first clip and end of each split.
        fineness: sides of the packed frames, in those of training frames.
    """

    area: int
    sizes: tuple[tuple[int, int], ...]
    strata: tuple[Stratum, ...]
    shards: tuple[str, ...]
    splits: Mapping[str, tuple[int, int]]
    fineness: int = 1


def write_index(
    path: Path, clips: Sequence[PackedClip], area: int, shards: Mapping[str, str], fineness: int = 1
) -> None:
    """Write the table atomically. Equal content gives equal bytes.

    Args:
        area: pixels of a training frame that were asked for.
        shards: sha256 of each shard by its name, in the order of their numbers.
        fineness: sides of the packed frames, in those of training frames.
    """
    import pyarrow

    ordered = sorted(clips, key=lambda clip: (SPLITS.index(clip.row.split), clip.row.clip_id))
    rows = pyarrow.Table.from_pylist([clip.row.model_dump() for clip in ordered], schema=manifest_schema())
    numbers: dict[str, np.ndarray] = {
        "shard": np.array([clip.shard for clip in ordered], np.int32),
        "offset": np.array([clip.place.offset for clip in ordered], np.int64),
        "size": np.array([clip.place.size for clip in ordered], np.int64),
        "yaw_frames": np.array([clip.yaw_frames for clip in ordered], np.int32).reshape(-1, 3),
        "full_body": np.array([clip.full_body for clip in ordered], np.uint8),
    }
    write_index_table(path, rows, numbers, [clip.size for clip in ordered], area, shards, fineness)


def write_index_table(
    path: Path,
    rows: "pyarrow.Table",
    numbers: Mapping[str, np.ndarray],
    sizes: Sequence[tuple[int, int]] | np.ndarray,
    area: int,
    shards: Mapping[str, str],
    fineness: int = 1,
) -> None:
    """Write the table from whole columns, which stand in the order of the index: by split, then by clip id.

    Args:
        numbers: shard, offset, size, yaw_frames and full_body.
        sizes: (N, 2) width and height of each clip's training frames.
    """
    import pyarrow

    known_sizes, buckets = np.unique(np.asarray(sizes, np.int64).reshape(-1, 2), axis=0, return_inverse=True)
    known_strata, strata = find_strata(rows)
    columns: dict[str, np.ndarray] = {
        **numbers,
        "length": rows["frame_count"].to_numpy().astype(np.int32),
        "bucket": buckets.astype(np.uint16),
        "stratum": strata,
        "has_track": rows["track"].is_valid().to_numpy().astype(np.uint8),
        "has_truth": rows["truth_track"].is_valid().to_numpy().astype(np.uint8),
    }
    frame_sizes = tuple((int(width), int(height)) for width, height in known_sizes)
    about = IndexAbout(area, frame_sizes, known_strata, tuple(shards), _bounds(rows), fineness)
    table = rows
    for name, column in columns.items():
        table = table.append_column(name, _arrow(column))
    table = table.combine_chunks().replace_schema_metadata(
        {_ABOUT: json.dumps(asdict(about), sort_keys=True), _SUMS: "".join(shards.values())}
    )
    with atomic_path(path) as temporary, pyarrow.ipc.new_file(str(temporary), table.schema) as writer:
        # One batch: columns stay whole, so that numpy can look at them without a copy.
        writer.write_table(table, max_chunksize=max(1, len(table)))


def find_strata(rows: "pyarrow.Table") -> tuple[tuple[Stratum, ...], np.ndarray]:
    """The strata of the clips of a manifest, and the number of each clip's."""
    import pyarrow.compute

    values: list[list[str]] = []
    codes = np.zeros((len(rows), len(Stratum._fields)), np.int64)
    for place, name in enumerate(Stratum._fields):
        encoded = pyarrow.compute.fill_null(rows[name], "unknown").combine_chunks().dictionary_encode()
        values.append(encoded.dictionary.to_pylist())
        codes[:, place] = encoded.indices.to_numpy()
    # Equal clips give equal numbers, whichever stands first.
    ranks = [np.argsort(np.argsort(names)) for names in values]
    ranked = np.stack([rank[codes[:, place]] for place, rank in enumerate(ranks)], axis=1)
    known, strata = np.unique(ranked, axis=0, return_inverse=True)
    ordered = [sorted(names) for names in values]
    named = tuple(Stratum(*(names[rank] for names, rank in zip(ordered, each, strict=True))) for each in known)
    return named, strata.astype(np.uint16)


def _bounds(rows: "pyarrow.Table") -> dict[str, tuple[int, int]]:
    splits = rows["split"].to_numpy(zero_copy_only=False)
    found = {split: np.flatnonzero(splits == split) for split in SPLITS}
    return {split: (int(places[0]), int(places[-1]) + 1) for split, places in found.items() if len(places)}


def _arrow(column: np.ndarray) -> "pyarrow.Array":
    import pyarrow

    if column.ndim == 1:
        return pyarrow.array(column)
    return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(column.ravel()), column.shape[1])


@dataclass(frozen=True, eq=False)
class ShardIndex:
    """The clips of one split.

    Attributes:
        about: what is said once for all clips.
        rows: of the manifest, read one at a time.
        columns: arrays over the mapped file, one entry a clip.
    """

    about: IndexAbout
    rows: "PackedRows"
    columns: Mapping[str, np.ndarray]

    @classmethod
    def open(cls, path: Path | str, split: Split) -> "ShardIndex":
        """Map the index.

        Raises:
            InputError: no such file, or no clip in that split.
            ManifestError: it is not an index, or damaged.
        """
        path = require_file(path, remedy=REMEDY)
        table, about = _map(path)
        if split not in about.splits:
            raise InputError(f"holds no clip of split {split!r}", path=path, remedy=REMEDY)
        start, stop = about.splits[split]
        part = table.slice(start, stop - start)
        columns = {name: _mapped(part[name].chunk(0)) for name in _COLUMNS}
        return cls(about, PackedRows(part.select(list(ClipRow.model_fields)), path), columns)

    def place(self, clip_index: int) -> tuple[int, Place]:
        """The clip's shard, and where its record lies there."""
        place = Place(int(self.columns["offset"][clip_index]), int(self.columns["size"][clip_index]))
        return int(self.columns["shard"][clip_index]), place

    def table(self, balance: BalanceSettings | None) -> ClipTable:
        """What the sampler needs.

        Args:
            balance: shares to meet; None shows every clip once.
        """
        columns = self.columns
        counts = np.bincount(columns["stratum"], minlength=len(self.about.strata))
        weights = np.ones(len(counts)) if balance is None else stratum_weights(self.about.strata, counts, balance)
        return ClipTable(
            lengths=columns["length"],
            buckets=columns["bucket"],
            bucket_sizes=np.array(self.about.sizes, np.int64),
            yaw_frames=columns["yaw_frames"].reshape(-1, 3),
            full_body=columns["full_body"].view(bool),
            has_track=columns["has_track"].view(bool),
            has_truth=columns["has_truth"].view(bool),
            strata=columns["stratum"],
            stratum_weights=weights,
        )


def read_sums(path: Path) -> dict[str, str]:
    """The sha256 of each shard by its name.

    Raises:
        InputError, ManifestError: as `ShardIndex.open`.
    """
    table, about = _map(require_file(path, remedy=REMEDY))
    sums = table.schema.metadata[_SUMS].decode()
    return {name: sums[_SUM_DIGITS * at : _SUM_DIGITS * (at + 1)] for at, name in enumerate(about.shards)}


def _mapped(column: "pyarrow.Array") -> np.ndarray:
    import pyarrow

    values = column.flatten() if isinstance(column, pyarrow.FixedSizeListArray) else column
    mapped: np.ndarray = values.to_numpy(zero_copy_only=True)
    return mapped


class PackedRows(Sequence[ClipRow]):
    """Rows of the manifest as they are asked for: two million of them as objects would take gigabytes."""

    def __init__(self, table: "pyarrow.Table", path: Path) -> None:
        self._table, self._path = table, path

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @overload
    def __getitem__(self, index: int) -> ClipRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ClipRow]: ...
    def __getitem__(self, index: int | slice) -> ClipRow | list[ClipRow]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        try:
            return ClipRow(**self._table.slice(index % len(self), 1).to_pylist()[0])
        except ValidationError as problem:
            raise ManifestError(f"row {index} is damaged", path=self._path, remedy=REMEDY) from problem

    def __iter__(self) -> Iterator[ClipRow]:
        return (self[index] for index in range(len(self)))

    def column(self, name: str) -> list[str]:
        """One field of all rows."""
        values: list[str] = self._table[name].to_pylist()
        return values

    def clip_id(self, index: int) -> str:
        """One row's id, without the rest of the row."""
        clip_id: str = self._table["clip_id"][index].as_py()
        return clip_id


def _map(path: Path) -> "tuple[pyarrow.Table, IndexAbout]":
    import pyarrow

    try:
        # The table keeps the mapping alive.
        table = pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()
        about = json.loads((table.schema.metadata or {})[_ABOUT])
        about |= {
            "sizes": tuple((int(width), int(height)) for width, height in about["sizes"]),
            "strata": tuple(Stratum(*each) for each in about["strata"]),
            "shards": tuple(about["shards"]),
        }
        described = IndexAbout(**about)
    except (pyarrow.ArrowInvalid, KeyError, ValueError, TypeError, OSError) as problem:
        raise ManifestError(f"not an index of shards ({problem})", path=path, remedy=REMEDY) from problem
    missing = {*ClipRow.model_fields, *_COLUMNS} - set(table.column_names)
    if missing:
        raise ManifestError(f"columns missing: {', '.join(sorted(missing))}", path=path, remedy=REMEDY)
    return table, described
