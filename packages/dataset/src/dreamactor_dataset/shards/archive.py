"""Shards on disk: plain tar archives, one safetensors file a clip, found by offset and never unpacked."""

import errno
import hashlib
import io
import os
import tarfile
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreamactor_core.errors import ShardError, StorageError
from dreamactor_core.files import atomic_path

from dreamactor_dataset.shards.record import REMEDY, Record

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

SUFFIX = ".safetensors"
# Well under the usual limit of 1024 open files a process.
_OPEN_SHARDS = 256
_WRITE_BYTES = 1 << 20
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Place:
    """Where a clip's record lies in its shard, in bytes."""

    offset: int
    size: int


def write_shard(path: Path, records: Iterable[tuple[str, bytes]]) -> tuple[dict[str, Place], str]:
    """Write one shard, whole or not at all. Equal records give equal bytes.

    Args:
        records: clip id and bytes (`pack_record`), one after the other.

    Returns:
        The place of each clip, and the sha256 of the shard.

    Raises:
        StorageError: there is no space left; nothing of this shard stays, earlier ones are untouched.
    """
    places: dict[str, Place] = {}
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            digest = _DigestingFile(file)
            with tarfile.open(fileobj=digest, mode="w|", bufsize=_WRITE_BYTES) as archive:
                for clip_id, data in records:
                    places[clip_id] = _add(archive, clip_id + SUFFIX, data)
    except OSError as problem:
        raise write_error(problem, path) from problem
    return places, digest.sha256.hexdigest()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> Place:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))
    # Counted from the end: long names make the member's header longer than a block.
    padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return Place(archive.offset - padded, len(data))


def write_error(problem: OSError, path: Path) -> StorageError:
    """Why a shard, or what lies beside it, could not be written, and what to do."""
    if problem.errno in _NO_SPACE:
        return StorageError(
            "no space is left on this disk; the shards before it are whole",
            path=path,
            remedy="Free space and repeat the command: it goes on where it stopped",
        )
    return StorageError(f"cannot be written ({problem.strerror})", path=path, remedy="Check the folder")


class _DigestingFile(io.RawIOBase):
    """A file that is hashed while it is written."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        self.sha256.update(data)
        return self._file.write(data)


class ShardReader:
    """Random access to the clips of some shards. Opens files when they are needed; safe to use in several threads."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._folder, self._names = folder, names
        self._descriptors: OrderedDict[int, _Descriptor] = OrderedDict()

    def record(self, shard: int, place: Place, clip_id: str) -> Record:
        """The record of a clip.

        Raises:
            ShardError: the shard is missing or damaged here.
        """
        path = self._folder / self._names[shard]
        return Record(self._open(shard, path), place.offset, place.size, clip_id, path)

    def _open(self, shard: int, path: Path) -> "_Descriptor":
        descriptor = self._descriptors.get(shard)
        if descriptor is None:
            try:
                descriptor = _Descriptor(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError as problem:
                raise ShardError(f"cannot be opened ({problem.strerror})", path=path, remedy=REMEDY) from problem
            self._descriptors[shard] = descriptor
            if len(self._descriptors) > _OPEN_SHARDS:
                # Closed with its last record, not before: another thread may be reading.
                self._descriptors.popitem(last=False)
        return descriptor


class _Descriptor:
    """An open file that closes when nobody refers to it any more."""

    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        return self.number

    def __del__(self) -> None:
        os.close(self.number)
