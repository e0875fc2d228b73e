"""Files that are either whole or absent: atomic writes, checksums, tensors in safetensors with a JSON header."""

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dreamactor_core.errors import DreamactorError, InputError

_HEADER_KEY = "header"


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_beside(path: Path) -> Path:
    # The suffix stays last: encoders and image writers choose their format by it.
    return path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary file path that becomes `path` by rename when the block ends well, and vanishes when it does not."""
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(final)
    try:
        yield temporary
        _fsync(temporary)
        temporary.replace(final)
        _fsync(final.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: Path | str) -> Iterator[Path]:
    """A temporary directory that becomes `path` by rename when the block ends well; an older `path` is replaced."""
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(final)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            _fsync(file)
        _fsync(temporary)
        _swap_directory(temporary, final)
        _fsync(final.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap_directory(new: Path, final: Path) -> None:
    """Directories cannot be renamed over a full one: move the old one aside first, drop it last."""
    aside = _temporary_beside(final).with_suffix(".old")
    shutil.rmtree(aside, ignore_errors=True)
    if final.exists():
        final.replace(aside)
    new.replace(final)
    shutil.rmtree(aside, ignore_errors=True)


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path | str, value: object) -> None:
    """Write JSON atomically, with sorted keys so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def sha256_file(path: Path | str) -> str:
    """Hex digest of a file's bytes."""
    with require_file(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_file(path: Path | str, *, remedy: str | None = None) -> Path:
    """The path, if it is a file that holds something.

    Raises:
        InputError: it does not exist, is a directory or is empty.
    """
    path = Path(path)
    if not path.exists():
        raise InputError("no such file", path=path, remedy=remedy or "Check the path")
    if path.is_dir():
        raise InputError("is a directory, not a file", path=path, remedy=remedy)
    if path.stat().st_size == 0:
        raise InputError("the file is empty", path=path, remedy=remedy)
    return path


def save_tensors(path: Path | str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write named arrays and a JSON header as one safetensors file, atomically."""
    write_bytes(path, pack_tensors(tensors, header))


def pack_tensors(tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> bytes:
    """Named arrays and a JSON header as the bytes of one safetensors file."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    packed: bytes = save(contiguous, metadata={_HEADER_KEY: json.dumps(header, sort_keys=True)})
    return packed


def load_tensors(
    path: Path | str, *, error: type[DreamactorError] = InputError
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        InputError: missing file.
        error: not a safetensors file, cut short, or without our header.
    """
    from safetensors import SafetensorError, safe_open

    path = require_file(path)
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, struct.error, OSError, ValueError) as problem:
        raise error(f"not a whole safetensors file ({problem})", path=path) from problem
    return tensors, _our_header(metadata, path, error)


def unpack_tensors(
    data: bytes, *, path: Path | str, error: type[DreamactorError] = InputError
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `pack_tensors` made.

    Args:
        path: where the bytes come from, for errors.

    Raises:
        error: not the bytes of a safetensors file, cut short, or without our header.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = {name: array.copy() for name, array in load(data).items()}
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    except (SafetensorError, struct.error, ValueError) as problem:
        raise error(f"not a whole safetensors file ({problem})", path=path) from problem
    return tensors, _our_header(metadata, path, error)


def _our_header(metadata: Mapping[str, str], path: Path | str, error: type[DreamactorError]) -> dict[str, Any]:
    if _HEADER_KEY not in metadata:
        raise error("the safetensors file has no dreamactor header", path=path)
    header: dict[str, Any] = json.loads(metadata[_HEADER_KEY])
    return header
