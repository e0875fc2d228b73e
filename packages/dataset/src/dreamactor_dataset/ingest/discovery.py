"""Which videos a folder, a bucket or a list names, and how their clips are called."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dreamactor_core.errors import InputError

from dreamactor_dataset.ingest.places import is_local, join, open_place, read_text

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
LIST_SUFFIXES = frozenset({".csv", ".txt"})


@dataclass(frozen=True)
class SourceVideo:
    """A video as it was found.

    Attributes:
        name: of its clips: the path within the folder without its ending, `/` written as `__`; the ending stays where
            two files differ in nothing else.
        place: relative to where was looked, or a URL of its own.
        url: where to open it.
        version: another one when the file has changed; empty where that cannot be known without reading it.
    """

    name: str
    place: str
    url: str
    version: str


def find_videos(where: str) -> tuple[str, list[SourceVideo]]:
    """The videos of a folder (sub-folders included, hidden ones passed over) or of a list, sorted by name.

    Args:
        where: a folder, a URL such as s3://bucket/folder, or a list of paths and URLs: a .txt with one in each line,
            or a .csv with a column `video`; relative ones start at the list's folder.

    Returns:
        The folder that notes and true tracks are relative to, and the videos.

    Raises:
        InputError: no such place, or no video in it.
    """
    if PurePosixPath(where).suffix.lower() in LIST_SUFFIXES:
        root = where.rpartition("/")[0] if "/" in where else "."
        found = {place: _version(join(root, place)) for place in _listed(where)}
    else:
        root, found = where, _in_folder(where)
    names = _names(found, where)
    return root, [SourceVideo(name, names[name], join(root, names[name]), found[names[name]]) for name in sorted(names)]


def _in_folder(where: str) -> dict[str, str]:
    """Place and version of every video in a folder."""
    filesystem, path = open_place(where)
    if is_local(where) and not Path(where).is_dir():
        problem = "is a file, not a folder" if Path(where).exists() else "no such folder"
        raise InputError(problem, path=where, remedy="Give a folder of videos")
    try:
        content: Mapping[str, Mapping[str, Any]] = filesystem.find(path, detail=True)
    except OSError as problem:
        raise InputError(
            f"{where} cannot be listed ({problem})", remedy="Check the address and the rights"
        ) from problem
    places = {PurePosixPath(file).relative_to(path.rstrip("/")): info for file, info in content.items()}
    found = {
        place.as_posix(): _version_of(info)
        for place, info in places.items()
        if place.suffix.lower() in VIDEO_SUFFIXES and not any(part.startswith(".") for part in place.parts)
    }
    if not found:
        endings = " ".join(sorted(VIDEO_SUFFIXES))
        raise InputError("holds no video", path=where, remedy=f"Files are known by their ending: {endings}")
    return found


def _listed(where: str) -> list[str]:
    """What the lines of a list name."""
    try:
        text = read_text(where)
    except UnicodeDecodeError as problem:
        raise InputError("not a UTF-8 list", path=where) from problem
    if text is None:
        raise InputError("no such list", path=where, remedy="Give a folder of videos, or a list of them")
    if where.lower().endswith(".csv"):
        rows = list(csv.DictReader(text.splitlines()))
        if rows and rows[0].get("video") is None:
            raise InputError("has no column 'video'", path=where, remedy="Name each line's video there")
        places = [(row["video"] or "").strip() for row in rows]
    else:
        places = [line.strip() for line in text.splitlines() if not line.startswith("#")]
    places = [place for place in places if place]
    if not places:
        raise InputError("the list names no video", path=where, remedy="Write one path or URL in each line")
    if twice := [place for place, count in Counter(places).items() if count > 1]:
        raise InputError(f"{twice[0]} stands twice in the list", path=where, remedy="Name every video once")
    return places


def _version(url: str) -> str:
    """Of a file that a list names: one that is not there is told when it is opened."""
    filesystem, path = open_place(url)
    try:
        return _version_of(filesystem.info(path))
    except OSError:
        return ""


def _version_of(info: Mapping[str, Any]) -> str:
    parts = [info.get(key) for key in ("size", "mtime", "ETag", "LastModified", "created")]
    return "-".join(str(part) for part in parts if part is not None)


def _names(places: Iterable[str], where: str) -> dict[str, str]:
    """A name for every place."""
    inside = {place: _inside(place) for place in places}
    frequency = Counter(_name(path.with_suffix("")) for path in inside.values())
    names = {
        _name(path.with_suffix("") if frequency[_name(path.with_suffix(""))] == 1 else path): place
        for place, path in inside.items()
    }
    if len(names) < len(inside):
        raise InputError("two videos would have the same name", path=where, remedy="Rename those with __ in their name")
    return names


def _inside(place: str) -> PurePosixPath:
    """The part of a place that names it: of a URL or an absolute path the last two parts."""
    path = PurePosixPath(place.partition("://")[2] or place)
    parts = [part for part in path.parts if part not in ("/", "..", ".")]
    return PurePosixPath(*parts) if place == path.as_posix() and not path.is_absolute() else PurePosixPath(*parts[-2:])


def _name(path: PurePosixPath) -> str:
    return "__".join(path.parts)
