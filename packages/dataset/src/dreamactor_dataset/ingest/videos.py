"""`dreamactor dataset ingest`: raw videos become a data set, and an older one stays until the new one is whole.

What is done of each video is remembered, so that an interrupted run goes on where it was, and a later one with more
videos does only those.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from dreamactor_core.console import progress, say
from dreamactor_core.errors import InputError, StorageError
from dreamactor_core.manifest import ClipRow, write_manifest
from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_core.worker_pool import Accident

from dreamactor_dataset.ingest.clip_list import CLIP_LIST, read_clip_list
from dreamactor_dataset.ingest.discovery import SourceVideo, find_videos
from dreamactor_dataset.ingest.inspection import RECORDS, Finding, InspectJob, no_room, record_files
from dreamactor_dataset.ingest.jobs import Jobs
from dreamactor_dataset.ingest.judging import Verdict, judge_pieces
from dreamactor_dataset.ingest.pieces import Piece, pieces_of
from dreamactor_dataset.ingest.places import is_local
from dreamactor_dataset.ingest.rows import make_rows, place_pieces
from dreamactor_dataset.ingest.summary import summarise
from dreamactor_dataset.ingest.writing import CLIPS, TRUTH, WriteJob, Written

MANIFEST = "manifest.parquet"


def ingest_videos(
    where: Path | str, output: Path, settings: IngestSettings, *, report: Callable[[str], None] = say
) -> list[ClipRow]:
    """Make a data set of raw videos and of what clips.csv states of them, where there is one.

    Args:
        where: a folder, searched with its sub-folders; a URL that fsspec reads, such as s3://bucket/folder; or a list.
        output: manifest.parquet, clips/, truth/ and records/ (what is known of each video). Equal input, equal
            manifest and clips.
        settings: what is asked of videos, defaults, split shares.
        report: takes the lines that say what was kept and why the rest was not.

    Returns:
        The manifest's rows. Those rejected or quarantined carry the reason and have no file; their `video` is the
        source video. A video whose process dies or hangs is rejected too; the next run tries it again.

    Raises:
        InputError: no video, a contradictory clips.csv, nothing that can be kept, or an output that would overwrite
            something else. Nothing is written then.
        StorageError: the disk is full. Everything that has room is written first; the older manifest stays.
    """
    root, videos = find_videos(str(where))
    _check_output(str(where), output)
    notes = read_clip_list(str(where), root, videos)
    with Jobs(settings) as jobs:
        findings = _inspect(videos, output, settings, jobs)
        pieces = [piece for finding in findings for piece in pieces_of(finding, notes[finding.name])]
        verdicts = judge_pieces(pieces, root, output, settings)
        splits = place_pieces(pieces, verdicts, settings)
        _require_kept(verdicts, where)
        written, verdicts = _write(pieces, verdicts, root, output, settings, jobs)
    rows = make_rows(pieces, verdicts, written, splits, settings)
    for line in summarise(rows):
        report(line)
    try:
        write_manifest(output / MANIFEST, rows)
    except OSError as error:
        raise no_room(error, output / MANIFEST) from error
    _sweep(output, rows, findings)
    return rows


def _inspect(videos: Sequence[SourceVideo], output: Path, settings: IngestSettings, jobs: Jobs) -> list[Finding]:
    """What every video is, in order; what is remembered of earlier runs first."""
    wanted = {video.name: InspectJob(video, settings, output) for video in videos}
    findings = {name: finding for name, job in wanted.items() if (finding := job.done()) is not None}
    if findings:
        say(f"{len(findings)} of {len(videos)} videos are known from earlier")
    todo = [job for name, job in wanted.items() if name not in findings]
    for job, result in progress(jobs.run(todo), "looking at videos", total=len(todo)):
        if isinstance(result, StorageError):
            # Without its record a video cannot be judged, and a manifest without it would be another data set.
            raise result
        if isinstance(result, Accident):
            result = Finding(name=job.video.name, place=job.video.place, url=job.video.url, problem=result.reason)
        findings[job.video.name] = result
    return [findings[video.name] for video in videos]


def _write(
    pieces: Sequence[Piece], verdicts: Sequence[Verdict], root: str, output: Path, settings: IngestSettings, jobs: Jobs
) -> tuple[dict[str, Written], list[Verdict]]:
    """The files of all kept clips, and the verdicts with those that could not be written rejected."""
    kept = [piece for piece, verdict in zip(pieces, verdicts, strict=True) if verdict.status == "kept"]
    of_videos = [
        WriteJob(tuple(group), root, output, settings) for _, group in groupby(kept, lambda piece: piece.finding.name)
    ]
    written: dict[str, Written] = {}
    failed: dict[str, str] = {}
    full: list[StorageError] = []
    todo = []
    for job in of_videos:
        done = job.done()
        written |= done
        if len(done) < len(job.pieces):
            todo.append(job)
    for job, result in progress(jobs.run(todo), "writing clips", total=len(todo)):
        if isinstance(result, dict):
            written |= result
        elif isinstance(result, StorageError):
            full.append(result)
        else:
            reason = result.reason if isinstance(result, Accident) else result.problem
            failed |= {piece.clip_id: reason for piece in job.pieces}
    if full:
        raise full[0]
    return written, [
        replace(verdict, status="rejected", reason=failed[piece.clip_id]) if piece.clip_id in failed else verdict
        for piece, verdict in zip(pieces, verdicts, strict=True)
    ]


def _check_output(where: str, output: Path) -> None:
    if is_local(where):
        source, target = Path(where).resolve(), output.resolve()
        if source.is_relative_to(target) or target.is_relative_to(source):
            raise InputError(
                "the data set and the videos would lie in each other", path=output, remedy="Choose another -o"
            )
    if output.exists() and not output.is_dir():
        raise InputError("is a file, not a folder", path=output, remedy="Choose another -o")
    ours = any((output / name).exists() for name in (MANIFEST, RECORDS))
    if output.exists() and any(output.iterdir()) and not ours:
        raise InputError("holds something that is not a data set", path=output, remedy="Choose another -o or empty it")


def _require_kept(verdicts: Sequence[Verdict], where: Path | str) -> None:
    if any(verdict.status == "kept" for verdict in verdicts):
        return
    reason, count = Counter(str(verdict.reason) for verdict in verdicts).most_common(1)[0]
    unlicensed = any(verdict.status == "quarantined" for verdict in verdicts)
    raise InputError(
        f"none of {len(verdicts)} clips can be kept ({count}: {reason})",
        path=where,
        remedy=f"State source, licence and consent in {CLIP_LIST}, or give --default-source, --default-licence and "
        "--default-consent"
        if unlicensed
        else "Give videos that can be read",
    )


def _sweep(output: Path, rows: Sequence[ClipRow], findings: Sequence[Finding]) -> None:
    """Remove what earlier runs left and the new manifest does not name."""
    named = {output / row.video for row in rows if row.status == "kept"}
    named |= {output / row.truth_track for row in rows if row.truth_track is not None}
    named |= {path for finding in findings for path in record_files(output, finding.name)}
    for folder in (CLIPS, TRUTH, RECORDS):
        for path in (output / folder).glob("*"):
            if path not in named:
                path.unlink()
