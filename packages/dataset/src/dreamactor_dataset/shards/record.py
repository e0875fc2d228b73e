"""One clip inside a shard: named arrays as a safetensors file, every row of each with a checksum.

Any part can be read alone, and nothing is read unchecked: a window of a clip costs its own bytes only.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from dreamactor_core.errors import ShardError

_CHECKSUMS = ".sum"
_ENDS = ".ends"
# The header of nearly all records fits: one read instead of two.
_FIRST_READ = 4096
_DTYPES = {"U8": np.uint8, "U64": np.uint64, "I64": np.int64, "F16": np.float16, "F32": np.float32}
REMEDY = "Make the shard again with: dreamactor dataset pack"


def pack_record(arrays: Mapping[str, np.ndarray], pieces: Mapping[str, Sequence[bytes]]) -> bytes:
    """A record's bytes.

    Args:
        arrays: read by rows of their first axis.
        pieces: runs of byte strings of any length, such as compressed pictures.
    """
    from safetensors.numpy import save

    tensors = {}
    for name, array in arrays.items():
        tensors[name] = np.ascontiguousarray(array)
        tensors[name + _CHECKSUMS] = checksums(tensors[name])
    for name, parts in pieces.items():
        tensors[name] = np.frombuffer(b"".join(parts), np.uint8)
        tensors[name + _ENDS] = np.cumsum([len(part) for part in parts], dtype=np.int64)
        tensors[name + _CHECKSUMS] = checksums([np.frombuffer(part, np.uint8) for part in parts])
    packed: bytes = save(tensors)
    return packed


def checksums(rows: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """(n,) uint64: of each row the sum of its bytes as 64-bit words, of what is left over, and of their number.

    It tells what happens to shards: bits that flip, blocks that are lost, zeroed or someone else's. A CRC takes four
    times as long as reading does; against intent only the sha256 of the shard helps.
    """
    if isinstance(rows, np.ndarray) and rows[:1].nbytes % 8 == 0:
        words = np.ascontiguousarray(rows).reshape(len(rows), -1).view(np.uint64)
        sums: np.ndarray = words.sum(axis=1, dtype=np.uint64) + np.uint64(rows[:1].nbytes)
        return sums
    return np.array([_sum(np.ascontiguousarray(row).reshape(-1).view(np.uint8)) for row in rows], np.uint64)


def _sum(data: np.ndarray) -> int:
    whole = len(data) // 8 * 8
    words = int(data[:whole].view(np.uint64).sum(dtype=np.uint64))
    return (words + int.from_bytes(data[whole:].tobytes(), "little") + len(data)) % 2**64


class SupportsFileno(Protocol):
    """An open file."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


@dataclass(frozen=True, eq=False)
class _Layout:
    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    stop: int


class Record:
    """A clip's arrays, read when they are asked for.

    Args:
        file: the open shard; kept open as long as the record is used.
        offset, size: where the record lies in it.
        clip_id, shard: for errors.

    Raises:
        ShardError: the shard is cut short here, or this is no record.
    """

    def __init__(self, file: SupportsFileno, offset: int, size: int, clip_id: str, shard: Path) -> None:
        self._file, self._offset, self._size = file, offset, size
        self._clip_id, self.shard = clip_id, shard
        self._layouts = self._read_header()

    def rows(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Rows of an array, (n, ...).

        Raises:
            ShardError: they are damaged, or there is no such array.
        """
        layout = self._layout(name)
        first, last, _ = slice(start, stop).indices(layout.shape[0])
        row_bytes = layout.dtype.itemsize * math.prod(layout.shape[1:])
        raw = self._read(layout.start + first * row_bytes, max(0, last - first) * row_bytes)
        rows = raw.view(layout.dtype).reshape(-1, *layout.shape[1:])
        self._check(rows, self._small(name + _CHECKSUMS)[first:last])
        return rows

    def pieces(self, name: str, chosen: Sequence[int]) -> list[np.ndarray]:
        """Byte strings of a run, each as (n,) uint8; neighbours are read at one go.

        Raises:
            ShardError: one is damaged, or there is no such piece.
        """
        layout, ends = self._layout(name), self._small(name + _ENDS)
        if len(chosen) and not 0 <= min(chosen) <= max(chosen) < len(ends):
            raise self._broken(f"has {len(ends)} pieces of {name}, not the {max(chosen)}th")
        bounds = [(int(ends[index - 1]) if index else 0, int(ends[index])) for index in chosen]
        parts: list[np.ndarray] = []
        position = 0
        while position < len(bounds):
            stop = position + 1
            while stop < len(bounds) and bounds[stop][0] == bounds[stop - 1][1]:
                stop += 1
            run_start, run_end = bounds[position][0], bounds[stop - 1][1]
            if not 0 <= run_start <= run_end <= layout.stop - layout.start:
                raise self._broken("has a damaged table of pieces")
            raw = self._read(layout.start + run_start, run_end - run_start)
            parts += [raw[first - run_start : last - run_start] for first, last in bounds[position:stop]]
            position = stop
        self._check(parts, self._small(name + _CHECKSUMS)[np.asarray(chosen, np.int64)])
        return parts

    def count(self, name: str) -> int:
        """Rows or pieces of that name; 0 if there are none."""
        known = self._layouts.get(name + _CHECKSUMS)
        return 0 if known is None else known.shape[0]

    def _check(self, rows: Sequence[np.ndarray] | np.ndarray, expected: np.ndarray) -> None:
        if not np.array_equal(checksums(rows), expected):
            raise self._broken("is damaged (wrong checksum)")

    def _layout(self, name: str) -> _Layout:
        if name not in self._layouts:
            raise self._broken(f"holds no {name}")
        return self._layouts[name]

    def _small(self, name: str) -> np.ndarray:
        """A whole array without checksums of its own; what it leads to is checked."""
        layout = self._layout(name)
        return self._read(layout.start, layout.stop - layout.start).view(layout.dtype)

    def _read_header(self) -> dict[str, _Layout]:
        first = self._read(0, min(_FIRST_READ, self._size))
        length = int.from_bytes(first[:8].tobytes(), "little")
        if not 2 <= length <= self._size - 8:
            raise self._broken("has a damaged header")
        text = first[8 : 8 + length] if 8 + length <= len(first) else self._read(8, length)
        try:
            fields = json.loads(text.tobytes())
            return {name: _parse(field, 8 + length) for name, field in fields.items() if name != "__metadata__"}
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise self._broken("has a damaged header") from problem

    def _read(self, start: int, count: int) -> np.ndarray:
        if start < 0 or start + count > self._size:
            raise self._broken("has a damaged header")
        buffer = np.empty(count, np.uint8)
        view, done = buffer.data, 0
        while done < count:
            got = os.preadv(self._file.fileno(), [view[done:]], self._offset + start + done)
            if got == 0:
                raise self._broken("is cut short")
            done += got
        return buffer

    def _broken(self, problem: str) -> ShardError:
        return ShardError(f"clip {self._clip_id} {problem}", path=self.shard, remedy=REMEDY)


def _parse(field: Mapping[str, Any], data_start: int) -> _Layout:
    start, stop = (int(offset) for offset in field["data_offsets"])
    shape = tuple(int(length) for length in field["shape"])
    dtype = np.dtype(_DTYPES[field["dtype"]])
    if stop - start != dtype.itemsize * math.prod(shape):
        raise ValueError("sizes contradict each other")
    return _Layout(dtype, shape, data_start + start, data_start + stop)
