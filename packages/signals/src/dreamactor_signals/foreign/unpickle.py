"""An unpickler that builds arrays and plain containers, and refuses everything else.

A pickle is a program: whoever wrote it chooses which functions are called. This reader knows a short list of harmless
ones and stops at any other name, before anything is called. It also reads the arrays that joblib writes between the
pickle's own bytes.
"""

import codecs
import io
import pickle
from collections import OrderedDict
from typing import Any, ClassVar

import numpy as np

_MOST_BYTES = 1 << 33


class RefusedError(Exception):
    """The pickle asks for something that is not data."""


class _JoblibArray:
    """What joblib puts in an array's place; the array's bytes follow in the stream."""

    order: str
    shape: tuple[int, ...]
    dtype: np.dtype
    numpy_array_alignment_bytes: int | None = None


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """What `_codecs.encode` is used for in pickles: bytes written as text."""
    if encoding not in ("latin1", "latin-1"):
        raise RefusedError(f"it encodes text as {encoding}")
    return codecs.encode(text, encoding)


def _reconstruct(subtype: type, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An empty array whose contents follow, whatever its class was called."""
    if subtype is not np.ndarray:
        raise RefusedError(f"it holds an array of class {subtype.__name__}")
    return np.ndarray.__new__(np.ndarray, shape, dtype)


def _scalar(dtype: np.dtype, data: bytes) -> Any:
    if dtype.hasobject:
        raise RefusedError("it holds an object disguised as a number")
    return np.frombuffer(data, dtype=dtype, count=1)[0]


def _frombuffer(data: bytes, dtype: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    if dtype.hasobject:
        raise RefusedError("it holds objects disguised as numbers")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if order == "F" else "C").copy()


def _allowed() -> dict[tuple[str, str], Any]:
    from scipy.sparse import coo_matrix, csc_matrix, csr_matrix

    names: dict[tuple[str, str], Any] = {
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): OrderedDict,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("joblib.numpy_pickle", "NumpyArrayWrapper"): _JoblibArray,
    }
    for core in ("numpy.core", "numpy._core"):
        names[f"{core}.multiarray", "_reconstruct"] = _reconstruct
        names[f"{core}.multiarray", "scalar"] = _scalar
        names[f"{core}.numeric", "_frombuffer"] = _frombuffer
    for kind in (coo_matrix, csc_matrix, csr_matrix):
        for module in (kind.__name__[:3], f"_{kind.__name__[:3]}"):
            names[f"scipy.sparse.{module}", kind.__name__] = kind
    return names


# The interpreter's own unpickler in Python: only it lets an opcode be extended, which joblib's arrays need.
_PythonUnpickler: Any = pickle._Unpickler  # type: ignore[attr-defined]


class _Reader(_PythonUnpickler):
    dispatch: ClassVar[dict[int, Any]] = dict(_PythonUnpickler.dispatch)

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream, encoding="latin1")
        self._stream = stream
        self._names = _allowed()

    def find_class(self, module: str, name: str) -> Any:
        """Only what is on the list; nothing is imported on a pickle's word."""
        if (module, name) not in self._names:
            raise RefusedError(f"it asks for {module}.{name}, which is not data")
        return self._names[module, name]

    def persistent_load(self, _: Any) -> Any:
        raise RefusedError("it refers to objects outside itself")

    def get_extension(self, _: int) -> None:
        raise RefusedError("it uses registered extensions")

    def load_build(self) -> None:
        """As ever, and then the bytes that joblib wrote after an array's description."""
        stack = self.stack
        if callable(stack[-2]):
            raise RefusedError("it changes a class or a function")
        super().load_build()
        if isinstance(stack[-1], _JoblibArray):
            stack[-1] = self._array(stack[-1])

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, wrapper: _JoblibArray) -> np.ndarray:
        dtype = np.dtype(wrapper.dtype)
        count = int(np.prod(wrapper.shape, dtype=np.int64))
        if dtype.hasobject or count < 0 or count * dtype.itemsize > _MOST_BYTES:
            raise RefusedError("it holds an array of objects, or one of an impossible size")
        if wrapper.numpy_array_alignment_bytes is not None:
            self._stream.read(self._stream.read(1)[0])
        data = self._stream.read(count * dtype.itemsize)
        return (
            np.frombuffer(data, dtype=dtype, count=count)
            .reshape(wrapper.shape, order="F" if wrapper.order == "F" else "C")
            .copy()
        )


def unpickle(data: bytes) -> Any:
    """The value of a pickle that holds only numbers, text, arrays and containers of them.

    Raises:
        RefusedError: it asks for anything else.
        Exception: whatever a damaged pickle makes of itself; the caller says that the file is damaged.
    """
    return _Reader(io.BytesIO(data)).load()
