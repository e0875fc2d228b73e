"""Motion tracks of every clip of a manifest."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dreamactor_core.console import progress, say
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.extraction.job import ClipJob
from dreamactor_signals.extraction.shards import Shard, Share, drop_others, is_tracked, settings_key, split
from dreamactor_signals.extraction.workers import ACCIDENTS, track_clips
from dreamactor_signals.trackers import make_tracker

MANIFEST_NAME = "manifest.parquet"


def extract_manifest(
    manifest: Path, output: Path, settings: SignalsSettings, *, share: Share | None = None
) -> Path | None:
    """Track the kept clips of a manifest: OUTPUT/tracks/CLIP.safetensors and OUTPUT/manifest.parquet.

    Of training clips with exact truth only `settings.tracked_share` is tracked. What an earlier run has done stays, as
    long as videos and settings are the same. A clip that cannot be tracked is rejected with its reason and stops
    nothing. Tracks and manifest do not depend on the number of processes, on interruptions or on shares.

    Args:
        manifest: of the clips.
        output: folder for everything made.
        settings: tracker, processes, clips a shard.
        share: which of the shards are done here; None for all.

    Returns:
        The path of the new manifest; None while shards of other shares are missing.

    Raises:
        InputError: no manifest, or one without clips.
        WeightsError: the tracker's networks are not installed.
    """
    rows = read_manifest(manifest)
    if not rows:
        raise InputError("the manifest holds no clips", path=manifest)
    shards = split(rows, output, settings)
    mine = [shard for shard in shards if (share or Share()).holds(shard.index)]
    todo = [shard for shard in mine if shard.finished(output) is None]
    _track_shards(todo, manifest.parent, output, settings)
    return _join(shards, output, settings)


def _track_shards(shards: Sequence[Shard], source: Path, output: Path, settings: SignalsSettings) -> None:
    """Track what the shards still lack, and leave each one's record once it is complete."""
    key = settings_key(settings)
    jobs = {
        row.clip_id: ClipJob(row, source / row.video, output, key)
        for shard in shards
        for row in shard.rows
        if is_tracked(row, settings)
    }
    finished: dict[str, ClipRow] = {}
    open_shards = list(shards)
    for row in progress(_rows(jobs, settings), "tracking clips", total=len(jobs)):
        finished[row.clip_id] = row
        # Shards are worked through in their order, so the first ones are complete first.
        while open_shards and _complete(open_shards[0], jobs, finished):
            _leave_record(open_shards.pop(0), finished, source, output)
    for shard in open_shards:
        _leave_record(shard, finished, source, output)


def _rows(jobs: dict[str, ClipJob], settings: SignalsSettings) -> Iterator[ClipRow]:
    """Rows of all jobs, those that were done before first."""
    todo = []
    for job in jobs.values():
        row = job.done()
        if row is None:
            todo.append(job)
        else:
            yield row
    if todo:
        # Missing networks are told here, once, not once a clip.
        make_tracker(settings)
        yield from track_clips(todo, settings)


def _complete(shard: Shard, jobs: dict[str, ClipJob], finished: dict[str, ClipRow]) -> bool:
    return all(row.clip_id in finished for row in shard.rows if row.clip_id in jobs)


def _leave_record(shard: Shard, finished: dict[str, ClipRow], source: Path, output: Path) -> None:
    rows = [finished.get(row.clip_id, row) for row in shard.rows]
    shard.finish([_moved(row, source, output) for row in rows])


def _join(shards: Sequence[Shard], output: Path, settings: SignalsSettings) -> Path | None:
    """The manifest of all shards, once all are done."""
    parts = [shard.finished(output) for shard in shards]
    missing = sum(part is None for part in parts)
    if missing:
        say(f"{len(shards) - missing} of {len(shards)} shards are done; the run that does the last writes the manifest")
        return None
    rows = [row for part in parts if part is not None for row in part]
    write_manifest(output / MANIFEST_NAME, rows)
    drop_others(shards)
    before = {row.clip_id for shard in shards for row in shard.rows if is_tracked(row, settings)}
    rejected = [row for row in rows if row.clip_id in before and row.status == "rejected"]
    for row in rejected:
        say(f"rejected {row.clip_id}: {row.reason}")
    say(f"{len(before) - len(rejected)} clips tracked, {len(rejected)} rejected")
    _forget_accidents(shards, parts)
    return output / MANIFEST_NAME


def _forget_accidents(shards: Sequence[Shard], parts: Sequence[list[ClipRow] | None]) -> None:
    """Drop the records of shards in which a process died or hung: the next run tries these clips again."""
    for shard, part in zip(shards, parts, strict=True):
        if any((row.reason or "").startswith(ACCIDENTS) for row in part or ()):
            shard.record.unlink(missing_ok=True)


def _moved(row: ClipRow, old: Path, new: Path) -> ClipRow:
    """The row with its paths relative to the new manifest's folder."""
    update = {"video": os.path.relpath(old / row.video, new)}
    if row.truth_track is not None:
        update["truth_track"] = os.path.relpath(old / row.truth_track, new)
    return row.model_copy(update=update)
