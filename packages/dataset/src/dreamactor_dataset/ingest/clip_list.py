"""clips.csv: what a folder of videos cannot say of itself. One line a clip, all columns but `clip` optional."""

import csv
from collections.abc import Collection, Mapping
from pathlib import Path

from dreamactor_core.errors import InputError
from dreamactor_core.manifest import Framing, Split
from pydantic import BaseModel, ConfigDict, ValidationError

CLIP_LIST = "clips.csv"


class ClipNotes(BaseModel):
    """What is stated of one clip.

    Attributes:
        clip: the file's name without its ending.
        truth_track: the exact motion track, relative to the folder; synthetic clips have one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip: str
    identity: str | None = None
    category: str = "unknown"
    source: str | None = None
    licence: str | None = None
    consent: str | None = None
    split: Split | None = None
    framing: Framing | None = None
    synthetic: bool = False
    truth_track: Path | None = None


def read_clip_list(folder: Path, clips: Collection[str]) -> Mapping[str, ClipNotes]:
    """The notes of each clip; nothing stated where there is no clips.csv or no line for the clip.

    Args:
        folder: the videos' folder.
        clips: names of the clips that were found.

    Raises:
        InputError: an unknown column or value, a clip that stands twice or is not there.
    """
    notes = {clip: ClipNotes(clip=clip) for clip in clips}
    path = folder / CLIP_LIST
    if not path.exists():
        return notes
    stated: set[str] = set()
    for line, fields in _lines(path):
        note = _parse(path, line, fields)
        if note.clip in stated or note.clip not in notes:
            problem = "stands twice" if note.clip in stated else "is not among the videos"
            raise InputError(f"line {line}: clip {note.clip!r} {problem}", path=path, remedy="Correct the line")
        stated.add(note.clip)
        notes[note.clip] = note
    return notes


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        # Spreadsheets put a byte order mark first.
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            lines = [(reader.line_num, fields) for fields in reader]
    except (csv.Error, UnicodeDecodeError) as problem:
        raise InputError(f"not a UTF-8 CSV file ({problem})", path=path) from problem
    if unknown := set(reader.fieldnames or ()) - set(ClipNotes.model_fields):
        raise InputError(
            f"unknown column {sorted(unknown)[0]!r}", path=path, remedy=f"Known: {', '.join(ClipNotes.model_fields)}"
        )
    return lines


def _parse(path: Path, line: int, fields: Mapping[str, str]) -> ClipNotes:
    if None in fields:  # csv.DictReader keeps there what has no column
        raise InputError(f"line {line} has more fields than the header", path=path, remedy="Quote fields with commas")
    try:
        return ClipNotes.model_validate({name: value.strip() for name, value in fields.items() if value})
    except ValidationError as problem:
        first = problem.errors()[0]
        column = ".".join(str(part) for part in first["loc"])
        raise InputError(f"line {line}, column {column}: {first['msg']}", path=path) from problem
