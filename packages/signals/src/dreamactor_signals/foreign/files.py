"""Foreign result files: .npz, .npy, and pickles (plain, or as joblib compresses them)."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.files import require_file

from dreamactor_signals.foreign.unpickle import RefusedError, unpickle

_PACKED: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x78": zlib.decompress,
    b"\x1f\x8b": gzip.decompress,
    b"BZ": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
}


def read_foreign(path: Path | str) -> Mapping[str, Any]:
    """The named values of a foreign file; nothing in it is executed.

    Raises:
        InputError: missing, damaged, not a mapping, or a pickle that asks for more than data.
    """
    path = require_file(path)
    try:
        values = _read(path)
    except RefusedError as problem:
        raise InputError(
            f"refused: {problem}", path=path, remedy="Save plain arrays with numpy.savez in the program that made it"
        ) from problem
    except InputError:
        raise
    except Exception as problem:
        # A damaged pickle can fail in any way; whatever it was, the file cannot be read.
        raise InputError(
            f"not a whole .npz or pickle file ({type(problem).__name__}: {problem})", path=path
        ) from problem
    if not isinstance(values, Mapping):
        raise InputError(f"holds a {type(values).__name__}, not named values", path=path)
    return values


def _read(path: Path) -> Any:
    data = path.read_bytes()
    if data[:2] == b"PK":
        return _read_npz(path)
    for magic, unpack in _PACKED.items():
        if data.startswith(magic):
            return unpickle(unpack(data))
    return unpickle(data)


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        values = {}
        for name in archive.files:
            try:
                values[name] = archive[name]
            except ValueError as problem:
                raise RefusedError(f"{name} is a pickled object, not an array") from problem
        return values


def array_of(
    values: Mapping[str, Any], name: str, shape: tuple[int | None, ...], path: Path, *, what: str
) -> np.ndarray:
    """A named array of a foreign file as float64, its shape checked (None: any size).

    Raises:
        InputError: absent, of another shape, or not finite.
    """
    if name not in values:
        raise InputError(f"not {what}: it has no {name!r}", path=path)
    try:
        array = np.asarray(values[name], dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise InputError(f"not {what}: {name!r} is not an array of numbers", path=path) from problem
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits or not np.isfinite(array).all():
        raise InputError(f"not {what}: {name!r} has shape {array.shape} or is not finite", path=path)
    return array
