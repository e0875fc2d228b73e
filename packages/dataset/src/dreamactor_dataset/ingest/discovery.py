"""Which videos a folder holds, and how their clips are called."""

from collections import Counter
from pathlib import Path

from dreamactor_core.errors import InputError

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})


def find_clips(folder: Path) -> dict[str, Path]:
    """Clip names and their videos, sub-folders included, sorted by name.

    The name is the path within the folder without its ending, `/` written as `__`; the ending stays where two files
    differ in nothing else. Hidden files and folders are passed over.

    Raises:
        InputError: no such folder, or no video in it.
    """
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "no such folder"
        raise InputError(problem, path=folder, remedy="Give a folder of videos")
    within = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES]
    videos = [path for path in within if (folder / path).is_file() and not _hidden(path)]
    if not videos:
        raise InputError(
            "holds no video", path=folder, remedy=f"Files are known by their ending: {' '.join(sorted(VIDEO_SUFFIXES))}"
        )
    frequency = Counter(_name(path.with_suffix("")) for path in videos)
    names = {
        _name(path.with_suffix("") if frequency[_name(path.with_suffix(""))] == 1 else path): path for path in videos
    }
    if len(names) < len(videos):
        raise InputError(
            "two videos would have the same name", path=folder, remedy="Rename those with __ in their name"
        )
    return {name: folder / names[name] for name in sorted(names)}


def _name(path: Path) -> str:
    return "__".join(path.parts)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
