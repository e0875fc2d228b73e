"""Where the records of further shards lie that hold something of the same clips, such as their latents.

A mapped table beside them, one line a clip in the order of a clip set, so that millions of clips cost no memory.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import ManifestError
from dreamactor_core.files import atomic_path, require_file

from dreamactor_dataset.shards.archive import Place, ShardReader
from dreamactor_dataset.shards.record import Record

_ABOUT, _SHARDS = b"about", b"shards"
_COLUMNS = ("shard", "offset", "size")


def write_places(
    path: Path, places: Sequence[tuple[int, Place]], shards: Sequence[str], about: Mapping[str, str]
) -> None:
    """Write the table atomically.

    Args:
        places: shard number and place of each clip.
        shards: file names in the order of their numbers.
        about: what the records were made from and with.
    """
    import pyarrow

    columns = {
        "shard": np.array([shard for shard, _ in places], np.int32),
        "offset": np.array([place.offset for _, place in places], np.int64),
        "size": np.array([place.size for _, place in places], np.int64),
    }
    described = {_ABOUT: json.dumps(about, sort_keys=True), _SHARDS: json.dumps(list(shards))}
    table = pyarrow.table(columns).replace_schema_metadata(described)
    with atomic_path(path) as temporary, pyarrow.ipc.new_file(str(temporary), table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, len(table)))


@dataclass(frozen=True, eq=False)
class PlacedRecords:
    """Records of clips, by the clips' numbers.

    Attributes:
        about: what they were made from and with.
    """

    about: Mapping[str, str]
    _reader: ShardReader
    _columns: Mapping[str, np.ndarray]

    @classmethod
    def open(cls, path: Path, *, remedy: str) -> "PlacedRecords":
        """Map the table.

        Raises:
            InputError: no such file.
            ManifestError: it is not such a table.
        """
        import pyarrow

        require_file(path, remedy=remedy)
        try:
            table = pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()
            metadata = table.schema.metadata or {}
            about, shards = json.loads(metadata[_ABOUT]), tuple(json.loads(metadata[_SHARDS]))
            columns = {name: table[name].combine_chunks().to_numpy(zero_copy_only=True) for name in _COLUMNS}
        except (pyarrow.ArrowInvalid, KeyError, ValueError, OSError) as problem:
            raise ManifestError(f"not a table of records ({problem})", path=path, remedy=remedy) from problem
        return cls(about, ShardReader(path.parent, shards), columns)

    def __len__(self) -> int:
        return len(self._columns["shard"])

    def record(self, clip_index: int, clip_id: str) -> Record:
        """The record of a clip.

        Raises:
            ShardError: its shard is missing or damaged.
        """
        shard, offset, size = (int(self._columns[name][clip_index]) for name in _COLUMNS)
        return self._reader.record(shard, Place(offset, size), clip_id)
