"""The frozen evaluation list: which held-out clips figures are measured on, whatever the data set grows to.

A figure means something only beside another one of the very same clips. The list names each clip with the sha256 of
its video, and has a sha256 of its own, which stands beside every figure.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from dreamactor_core.errors import InputError
from dreamactor_core.files import require_file, write_json
from dreamactor_core.manifest import ClipRow, read_manifest
from pydantic import BaseModel, ConfigDict, ValidationError


class FrozenClip(BaseModel):
    """A clip of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip_id: str
    sha256: str
    group: str


class FrozenList(BaseModel):
    """The list.

    Attributes:
        clips: in the order they are measured in.
        sha256: of the clips.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clips: tuple[FrozenClip, ...]
    sha256: str


def freeze(manifest: Path, output: Path, count: int | None = None) -> FrozenList:
    """Write down the kept test clips that have a motion track.

    Args:
        count: how many at most, spread over the groups: first one of each, so that few clips show many people.

    Raises:
        InputError: there is none, or the list exists already: a frozen list is never changed, only replaced by hand.
    """
    if output.exists():
        raise InputError("is frozen already", path=output, remedy="Choose another -o, or delete it by hand")
    held_out = [row for row in read_manifest(manifest) if _can_be_measured(row)]
    if not held_out:
        raise InputError("has no kept clip with a motion track in split 'test'", path=manifest)
    chosen = _spread(sorted(held_out, key=lambda row: row.clip_id))[:count]
    clips = tuple(FrozenClip(clip_id=row.clip_id, sha256=row.sha256, group=row.group) for row in chosen)
    frozen = FrozenList(clips=clips, sha256=_digest(clips))
    write_json(output, frozen.model_dump())
    return frozen


def _can_be_measured(row: ClipRow) -> bool:
    return row.status == "kept" and row.split == "test" and row.motion is not None


def _spread(rows: Sequence[ClipRow]) -> list[ClipRow]:
    """The first clip of every group, then the second of each, and so on."""
    turns: dict[str, int] = {}
    ordered = []
    for row in rows:
        turns[row.group] = turns.get(row.group, 0) + 1
        ordered.append((turns[row.group], row.clip_id, row))
    return [row for _, _, row in sorted(ordered, key=lambda each: each[:2])]


def read_frozen(path: Path) -> FrozenList:
    """Read a list.

    Raises:
        InputError: no such file, or it was changed since it was frozen.
    """
    try:
        frozen = FrozenList.model_validate_json(require_file(path).read_text())
    except (ValidationError, ValueError) as problem:
        raise InputError("not a frozen evaluation list", path=path) from problem
    if _digest(frozen.clips) != frozen.sha256:
        raise InputError("was changed since it was frozen", path=path, remedy="Restore it from version control")
    return frozen


def frozen_rows(path: Path, manifest: Path) -> list[ClipRow]:
    """The rows of the list's clips, in its order.

    Raises:
        InputError: a clip is missing, not held out or not as it was, or training would see what the list shows.
    """
    frozen, rows = read_frozen(path), read_manifest(manifest)
    known = {row.clip_id: row for row in rows if _can_be_measured(row)}
    for clip in frozen.clips:
        if clip.clip_id not in known or known[clip.clip_id].sha256 != clip.sha256:
            problem = "is not what it was" if clip.clip_id in known else "is not among the held-out clips"
            raise InputError(f"clip {clip.clip_id} of the frozen list {path} {problem}", path=manifest)
    groups = {clip.group for clip in frozen.clips}
    if leak := next((row for row in rows if row.split != "test" and row.group in groups), None):
        raise InputError(f"clip {leak.clip_id} of split {leak.split} shows what {path} measures", path=manifest)
    return [known[clip.clip_id] for clip in frozen.clips]


def _digest(clips: Sequence[FrozenClip]) -> str:
    return hashlib.sha256(json.dumps([clip.model_dump() for clip in clips], sort_keys=True).encode()).hexdigest()
