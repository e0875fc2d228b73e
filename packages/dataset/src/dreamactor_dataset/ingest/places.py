"""Files wherever they are: a folder here, a bucket, anything fsspec reads."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dreamactor_core.errors import InputError

_PIECE_BYTES = 8 << 20


class FetchError(InputError):
    """A remote file cannot be fetched now; it says nothing about the file."""


def open_place(url: str) -> tuple[Any, str]:
    """The fsspec file system of a path or URL, and the path within it.

    Raises:
        InputError: nothing that is installed reads such URLs.
    """
    from fsspec.core import url_to_fs

    try:
        filesystem, path = url_to_fs(url)
    except (ImportError, ValueError) as problem:
        raise InputError(
            f"{url} cannot be read ({problem})", remedy="For s3:// run: pip install 'dreamactor-dataset[s3]'"
        ) from problem
    return filesystem, path


def is_local(url: str) -> bool:
    """Whether it is a path of this machine."""
    return "://" not in url


def join(root: str, place: str) -> str:
    """The URL of a place relative to a root; places that are URLs or absolute paths stand for themselves."""
    if "://" in place or place.startswith("/"):
        return place
    return f"{root.rstrip('/')}/{place}"


def read_text(url: str) -> str | None:
    """A small text file; None where there is none.

    Raises:
        FetchError: the place does not answer.
        UnicodeDecodeError: not UTF-8.
    """
    filesystem, path = open_place(url)
    try:
        # Spreadsheets put a byte order mark first.
        return str(filesystem.cat_file(path).decode("utf-8-sig"))
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise FetchError(f"{url} cannot be fetched ({problem})") from problem


@contextmanager
def local_copy(url: str, folder: Path) -> Iterator[Path]:
    """The file itself where it is local, else a copy in `folder` that vanishes with the block.

    Raises:
        FetchError: it is not there, or the place does not answer.
        OSError: there is no room for the copy.
    """
    if is_local(url):
        yield Path(url)
        return
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".fetched-", dir=folder))
    try:
        copy = temporary / url.rpartition("/")[2]
        with copy.open("wb") as file:
            for piece in _pieces(url):
                file.write(piece)
        yield copy
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _pieces(url: str) -> Iterator[bytes]:
    """The file's bytes. Only what the far side does wrong is a FetchError: a full disk here is something else."""
    filesystem, path = open_place(url)
    try:
        remote = filesystem.open(path, "rb")
    except FileNotFoundError as problem:
        raise FetchError("no such file any more") from problem
    except OSError as problem:
        raise FetchError(f"cannot be fetched ({problem})") from problem
    with remote:
        while True:
            try:
                piece = remote.read(_PIECE_BYTES)
            except OSError as problem:
                raise FetchError(f"cannot be fetched ({problem})") from problem
            if not piece:
                return
            yield piece
