"""clips.csv: what a folder of videos cannot say of itself. One line a video, all columns but `clip` optional.

A list of videos may be such a file itself: then its column `video` says where each lies.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from dreamactor_core.errors import InputError
from dreamactor_core.manifest import Framing, Split
from pydantic import BaseModel, ConfigDict, ValidationError

from dreamactor_dataset.ingest.discovery import SourceVideo
from dreamactor_dataset.ingest.places import join, read_text

CLIP_LIST = "clips.csv"


class ClipNotes(BaseModel):
    """What is stated of one video, and so of all clips cut from it.

    Attributes:
        clip: the video's name: its path without its ending.
        video: in a list of videos, where it lies.
        truth_track: the exact motion track, relative to the folder; synthetic clips have one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip: str
    video: str | None = None
    identity: str | None = None
    category: str = "unknown"
    source: str | None = None
    licence: str | None = None
    consent: str | None = None
    split: Split | None = None
    framing: Framing | None = None
    synthetic: bool = False
    truth_track: Path | None = None


def read_clip_list(where: str, root: str, videos: Sequence[SourceVideo]) -> Mapping[str, ClipNotes]:
    """The notes of each video, by its name; nothing stated where there is no clips.csv or no line for it.

    Args:
        where: what was given: a folder, or a list, which is then its own clip list if it has columns.
        root: the folder that holds clips.csv.
        videos: that were found.

    Raises:
        InputError: an unknown column or value, a clip that stands twice or is not there.
    """
    notes = {video.name: ClipNotes(clip=video.name) for video in videos}
    names = {video.place: video.name for video in videos}
    path = where if PurePosixPath(where).suffix.lower() == ".csv" else join(root, CLIP_LIST)
    stated: set[str] = set()
    for line, fields in _lines(path):
        if not fields.get("clip") and fields.get("video") in names:
            fields = fields | {"clip": names[fields["video"]]}
        note = _parse(path, line, fields)
        if note.clip in stated or note.clip not in notes:
            problem = "stands twice" if note.clip in stated else "is not among the videos"
            raise InputError(f"line {line}: clip {note.clip!r} {problem}", path=path, remedy="Correct the line")
        stated.add(note.clip)
        notes[note.clip] = note
    return notes


def _lines(path: str) -> list[tuple[int, dict[str, str]]]:
    try:
        text = read_text(path)
        reader = csv.DictReader((text or "").splitlines(keepends=True), strict=True)
        lines = [(reader.line_num, fields) for fields in reader]
    except (csv.Error, UnicodeDecodeError) as problem:
        raise InputError(f"not a UTF-8 CSV file ({problem})", path=path) from problem
    if unknown := set(reader.fieldnames or ()) - set(ClipNotes.model_fields):
        raise InputError(
            f"unknown column {sorted(unknown)[0]!r}", path=path, remedy=f"Known: {', '.join(ClipNotes.model_fields)}"
        )
    return lines


def _parse(path: str, line: int, fields: Mapping[str, str]) -> ClipNotes:
    if None in fields:  # csv.DictReader keeps there what has no column
        raise InputError(f"line {line} has more fields than the header", path=path, remedy="Quote fields with commas")
    try:
        return ClipNotes.model_validate({name: value.strip() for name, value in fields.items() if value})
    except ValidationError as problem:
        first = problem.errors()[0]
        column = ".".join(str(part) for part in first["loc"])
        raise InputError(f"line {line}, column {column}: {first['msg']}", path=path) from problem
