"""Shards: runs of clips in the order of their ids. A finished one leaves a record, so that a broken run goes on there.

Records also let several machines share a manifest: each does its part, whoever finishes the last one joins them all.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dreamactor_core.errors import InputError, ManifestError
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.flow import VERSION as FLOW_VERSION

SHARDS_FOLDER = "shards"
# How many run at once, how long they may take, which clips are tracked, and how speech is read, changes no track.
_NOT_SHAPING = {"processes", "threads", "shard_clips", "clip_deadline_s", "tracked_share", "speech_encoder"}


@dataclass(frozen=True)
class Share:
    """Part `number` of `count` (from 1) of the shards: what one of several machines does."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "2/8".

        Raises:
            InputError: not two numbers, or the first not between 1 and the second.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        share = cls(int(found[1]), int(found[2])) if found else None
        if share is None or not 1 <= share.number <= share.count:
            raise InputError(f"--share {text} is no part of a whole", remedy="Write e.g. --share 2/8")
        return share

    def holds(self, index: int) -> bool:
        """Whether the shard of this index (from 0) belongs to it."""
        return index % self.count == self.number - 1


@dataclass(frozen=True)
class Shard:
    """Some clips, and where the record of their tracking is kept.

    Attributes:
        index: from 0.
        rows: of the manifest, in the order of their ids.
        record: parquet in the output folder. Its name tells the very rows and settings.
    """

    index: int
    rows: tuple[ClipRow, ...]
    record: Path

    def finished(self, output: Path) -> list[ClipRow] | None:
        """The rows as they were left, if the shard is done and its tracks are still there."""
        try:
            rows = read_manifest(self.record)
        except (InputError, ManifestError):
            return None
        tracks = [output / row.track for row in rows if row.track is not None]
        return rows if all(track.exists() for track in tracks) else None

    def finish(self, rows: Sequence[ClipRow]) -> None:
        """Write the record."""
        write_manifest(self.record, rows)


def split(rows: Sequence[ClipRow], output: Path, settings: SignalsSettings) -> list[Shard]:
    """All shards of a manifest."""
    ordered = sorted(rows, key=lambda row: row.clip_id)
    key = f"{settings_key(settings)} {settings.tracked_share}"
    shards = []
    for index, start in enumerate(range(0, len(ordered), settings.shard_clips)):
        part = tuple(ordered[start : start + settings.shard_clips])
        content = hashlib.sha256((key + "".join(row.model_dump_json() for row in part)).encode()).hexdigest()
        shards.append(Shard(index, part, output / SHARDS_FOLDER / f"{index:05}-{content[:16]}.parquet"))
    return shards


def drop_others(shards: Sequence[Shard]) -> None:
    """Remove records of other rows or settings."""
    kept = {shard.record for shard in shards}
    for record in shards[0].record.parent.glob("*.parquet"):
        if record not in kept:
            record.unlink(missing_ok=True)


def is_tracked(row: ClipRow, settings: SignalsSettings) -> bool:
    """Whether a clip is to be tracked: a kept one without truth, a held-out one, or one of the share that is asked for.

    Which clips make up the share follows from their ids: a larger share holds the smaller one.
    """
    if row.status != "kept" or row.truth_track is None or row.split != "train":
        return row.status == "kept"
    place = int.from_bytes(hashlib.sha256(row.clip_id.encode()).digest()[:8])
    return place < settings.tracked_share * 2**64


def settings_key(settings: SignalsSettings) -> str:
    """Sixteen digits that tell apart the settings that shape a track, and what looks at the picture again."""
    shaping = settings.model_dump(mode="json", exclude=_NOT_SHAPING) | {"flow": FLOW_VERSION}
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]
