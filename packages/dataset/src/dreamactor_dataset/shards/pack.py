"""`dreamactor dataset pack`: the kept clips of a manifest become shards and an index.

A finished shard stays: a run that was broken off, or one after clips were added, makes only what is missing. Equal
input gives equal bytes.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dreamactor_core.console import progress, say
from dreamactor_core.errors import DreamactorError, InputError, ShardError
from dreamactor_core.files import sha256_file, write_json
from dreamactor_core.manifest import ClipRow, read_manifest
from dreamactor_core.settings.dataset import ShardsSettings

from dreamactor_dataset.shards.archive import Place, write_error, write_shard
from dreamactor_dataset.shards.clip import PackedFacts, pack_clip
from dreamactor_dataset.shards.index import INDEX, SPLITS, PackedClip, read_sums, write_index

_SHARDS, _NOTES = ".tar", ".json"
# Of records and notes; shards of another one are made again.
_FORMAT = 1


def pack_clips(
    manifest: Path, output: Path, settings: ShardsSettings, *, area: int, report: Callable[[str], None] = say
) -> Path:
    """Pack every kept clip that has a motion track.

    Args:
        manifest: of the clips; its paths start in its folder.
        output: folder of the shards; shards of other clips or settings are removed from it at the end.
        settings: size of a shard, quality, threads.
        area: pixels of a training frame.
        report: takes a line for every clip that cannot be packed, with the reason.

    Returns:
        The path of the index.

    Raises:
        InputError: no kept clip has a track, or none can be packed.
        StorageError: a shard cannot be written. What was finished stays; the same command goes on there.
    """
    jobs = _jobs(manifest, output, settings, area)
    if not jobs:
        raise InputError(
            "holds no kept clip with a motion track",
            path=manifest,
            remedy="Track the clips with: dreamactor signals extract --manifest MANIFEST -o DIR",
        )
    shards = list(_pack_all(jobs, settings.threads))
    for shard in shards:
        for clip_id, reason in shard.rejected.items():
            report(f"left out {clip_id}: {reason}")
    if not any(shard.clips for shard in shards):
        raise InputError("no clip of the manifest can be packed", path=manifest)
    _write_index(output, jobs, shards, area, settings.fineness)
    _drop_others(output, jobs)
    return output / INDEX


@dataclass(frozen=True)
class _Job:
    """One shard to be."""

    rows: tuple[ClipRow, ...]
    source: Path
    path: Path
    area: int
    settings: ShardsSettings

    @property
    def notes(self) -> Path:
        return self.path.with_suffix(_NOTES)


@dataclass(frozen=True)
class _Shard:
    """A shard that is there: its clips with their places, and those that could not be packed."""

    sha256: str
    clips: tuple[tuple[PackedFacts, Place], ...]
    rejected: dict[str, str]


def _jobs(manifest: Path, output: Path, settings: ShardsSettings, area: int) -> list[_Job]:
    """Shards of a split hold its clips in the order of their ids."""
    rows = [row for row in read_manifest(manifest) if row.status == "kept" and row.motion]
    jobs = []
    for split in SPLITS:
        members = sorted((row for row in rows if row.split == split), key=lambda row: row.clip_id)
        for number, start in enumerate(range(0, len(members), settings.clips)):
            part = tuple(members[start : start + settings.clips])
            made_by = f"{_FORMAT} {area} {settings.fineness} {settings.quality} {settings.full_colour}"
            key = _content_key(part, manifest.parent, made_by)
            path = output / f"{split}-{number:05}-{key}{_SHARDS}"
            jobs.append(_Job(part, manifest.parent, path, area, settings))
    return jobs


def _content_key(rows: Sequence[ClipRow], folder: Path, settings: str) -> str:
    """Sixteen digits of everything a shard is made from."""
    digest = hashlib.sha256(settings.encode())
    for row in rows:
        digest.update(row.model_dump_json(exclude={"video", "track", "truth_track"}).encode())
        for track in (row.track, row.truth_track):
            digest.update((sha256_file(folder / track) if track else "-").encode())
    return digest.hexdigest()[:16]


def _pack_all(jobs: Sequence[_Job], threads: int) -> Iterator[_Shard]:
    # Decoding happens in child processes, compression outside the interpreter's lock: threads are enough.
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from progress(pool.map(_pack, jobs), "packing shards", len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _pack(job: _Job) -> _Shard:
    finished = _finished(job)
    if finished is not None:
        return finished
    facts: dict[str, PackedFacts] = {}
    rejected: dict[str, str] = {}

    def records() -> Iterator[tuple[str, bytes]]:
        for row in job.rows:
            try:
                facts[row.clip_id], data = _pack_clip(row, job)
            except DreamactorError as problem:
                rejected[row.clip_id] = problem.line()
                continue
            yield row.clip_id, data

    places, sha256 = write_shard(job.path, records())
    shard = _Shard(sha256, tuple((facts[clip_id], place) for clip_id, place in places.items()), rejected)
    _leave_notes(job, shard)
    return shard


def _pack_clip(row: ClipRow, job: _Job) -> tuple[PackedFacts, bytes]:
    how = job.settings.model_dump(include={"fineness", "quality", "full_colour"})
    return pack_clip(row, job.source, area=job.area, **how)


def _leave_notes(job: _Job, shard: _Shard) -> None:
    """Beside the shard, and after it: a shard without notes is made again."""
    clips = [
        {**facts.__dict__, "row": facts.row.model_dump(), "place": [place.offset, place.size]}
        for facts, place in shard.clips
    ]
    notes = {"sha256": shard.sha256, "bytes": job.path.stat().st_size, "clips": clips, "rejected": shard.rejected}
    try:
        write_json(job.notes, notes)
    except OSError as problem:
        raise write_error(problem, job.notes) from problem


def _finished(job: _Job) -> _Shard | None:
    """The shard as an earlier run left it; None if it is not whole, or lacks clips that might be read now."""
    try:
        notes = json.loads(job.notes.read_text())
        if notes["bytes"] != job.path.stat().st_size or notes["rejected"]:
            return None
    except (FileNotFoundError, ValueError, KeyError):
        return None
    clips = [
        (
            PackedFacts(
                ClipRow(**clip["row"]), tuple(clip["size"]), tuple(clip["yaw_frames"]), bool(clip["full_body"])
            ),
            Place(*clip["place"]),
        )
        for clip in notes["clips"]
    ]
    return _Shard(notes["sha256"], tuple(clips), {})


def _write_index(output: Path, jobs: Sequence[_Job], shards: Sequence[_Shard], area: int, fineness: int) -> None:
    clips = [
        PackedClip(facts.row, number, place, facts.size, facts.yaw_frames, facts.full_body)
        for number, shard in enumerate(shards)
        for facts, place in shard.clips
    ]
    sums = {job.path.name: shard.sha256 for job, shard in zip(jobs, shards, strict=True)}
    try:
        write_index(output / INDEX, clips, area, sums, fineness)
    except OSError as problem:
        raise write_error(problem, output / INDEX) from problem


def _drop_others(output: Path, jobs: Sequence[_Job]) -> None:
    wanted = {path for job in jobs for path in (job.path, job.notes)}
    for path in output.iterdir():
        if path.suffix in (_SHARDS, _NOTES) and path not in wanted:
            path.unlink()


def verify_shards(index: Path) -> list[ShardError]:
    """Compare every shard with the sha256 that the index knows; one error for each that differs or is missing."""
    problems = []
    for name, expected in progress(read_sums(index).items(), "verifying shards"):
        path = index.parent / name
        try:
            whole = sha256_file(path) == expected
            problem = None if whole else "is damaged (wrong sha256)"
        except InputError as error:
            problem = error.problem
        if problem:
            remedy = "Delete it, then repeat: dreamactor dataset pack"
            problems.append(ShardError(problem, path=path, remedy=remedy))
    return problems
