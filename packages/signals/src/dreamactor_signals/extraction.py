"""Motion tracks of one video, or of every clip of a manifest in worker processes."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from dreamactor_core.children import die_with_parent
from dreamactor_core.console import progress, say
from dreamactor_core.errors import InputError, TrackError
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.video import open_video

from dreamactor_signals.trackers import Tracker, make_tracker
from dreamactor_signals.views import framing

TRACKS_FOLDER = "tracks"
MANIFEST_NAME = "manifest.parquet"


def extract_video(
    video: Path, tracker: Tracker, *, watched: bool = False, max_frames: int | None = None
) -> MotionTrack:
    """Track the person of one video.

    Args:
        video: any file that the decoder reads.
        tracker: from `make_tracker`; it serves any number of videos.
        watched: whether to show progress.
        max_frames: stop after this many; None for all.

    Raises:
        InputError: not a video, or no person in it; the error names the file.
    """
    with open_video(video) as reader:
        info = reader.info
        count = info.frame_count if max_frames is None else min(max_frames, info.frame_count)
        wanted = islice(reader, count)
        frames = progress(wanted, f"tracking {video.name}", total=count) if watched else wanted
        try:
            return tracker.track(frames, info.fps, (info.width, info.height), sha256_file(video))
        except InputError as error:
            # A tracker sees frames, not files.
            raise type(error)(error.problem, path=error.path or video, remedy=error.remedy) from error


def extract_manifest(manifest: Path, output: Path, settings: SignalsSettings) -> Path:
    """Track every kept clip of a manifest: OUTPUT/tracks/CLIP.safetensors and OUTPUT/manifest.parquet.

    A track that is already there and comes from the same video stays, so that a broken run goes on where it stopped.
    A clip that cannot be tracked is rejected with its reason and stops nothing.

    Returns:
        The path of the new manifest.

    Raises:
        InputError: no manifest, or one without clips.
        WeightsError: the tracker's networks are not installed.
    """
    rows = read_manifest(manifest)
    if not rows:
        raise InputError("the manifest holds no clips", path=manifest)
    jobs = [_Job(row, manifest.parent / row.video, output) for row in rows if row.status == "kept"]
    tracked = {row.clip_id: row for row in _track_all(jobs, settings)}
    target = output / MANIFEST_NAME
    write_manifest(target, [_moved(tracked.get(row.clip_id, row), manifest.parent, output) for row in rows])
    rejected = [row for row in tracked.values() if row.status == "rejected"]
    for row in rejected:
        say(f"rejected {row.clip_id}: {row.reason}")
    say(f"{len(tracked) - len(rejected)} clips tracked, {len(rejected)} rejected")
    return target


@dataclass(frozen=True)
class _Job:
    """One clip to track."""

    row: ClipRow
    video: Path
    output: Path

    @property
    def track(self) -> str:
        """Path of its track, relative to the output folder."""
        return f"{TRACKS_FOLDER}/{self.row.clip_id}.safetensors"

    def done(self) -> ClipRow | None:
        """Its row, if its track is there and whole and comes from this very video."""
        try:
            track = MotionTrack.load(self.output / self.track)
        except (InputError, TrackError):
            return None
        return self.accepted(track) if track.source_sha256 == self.row.sha256 else None

    def accepted(self, track: MotionTrack) -> ClipRow:
        """The row of a tracked clip."""
        return self.row.model_copy(update={"track": self.track, "framing": framing(track)})

    def rejected(self, reason: str) -> ClipRow:
        """The row of a clip that cannot be tracked."""
        return self.row.model_copy(update={"status": "rejected", "reason": reason, "track": None})


def _track_all(jobs: Sequence[_Job], settings: SignalsSettings) -> Iterator[ClipRow]:
    """Rows of the clips, those that were done before first."""
    todo = []
    for job in jobs:
        row = job.done()
        if row is None:
            todo.append(job)
        else:
            yield row
    if not todo:
        return
    # Missing networks are told here, once, not once a clip.
    make_tracker(settings)
    crashed = []
    with _pool(min(settings.processes, len(todo)), settings) as pool:
        futures = {pool.submit(_track_clip, job): job for job in todo}
        for future in progress(as_completed(futures), "tracking clips", total=len(futures)):
            row = _result(future)
            if row is None:
                crashed.append(futures[future])
            else:
                yield row
    # A process that dies takes its neighbours' clips with it: each of them gets a process of its own.
    for job in crashed:
        with _pool(1, settings) as pool:
            yield _result(pool.submit(_track_clip, job)) or job.rejected("the process that tracked it died")


def _result(future: "Future[ClipRow]") -> ClipRow | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return None


def _pool(workers: int, settings: SignalsSettings) -> ProcessPoolExecutor:
    # Spawned, not forked: the networks' runtime has threads, and these do not survive a fork.
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(settings,))


_worker_tracker: Tracker | None = None


def _start_worker(settings: SignalsSettings) -> None:
    global _worker_tracker
    die_with_parent()
    _worker_tracker = make_tracker(settings)


def _track_clip(job: _Job) -> ClipRow:
    """Track one clip in a worker. Whatever is wrong with it becomes the reason of its rejection."""
    if _worker_tracker is None:
        raise RuntimeError("the worker was not started")
    try:
        track = extract_video(job.video, _worker_tracker)
        if track.source_sha256 != job.row.sha256:
            return job.rejected("the video has changed since it was ingested")
        track.save(job.output / job.track)
    except Exception as error:
        return job.rejected(str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}")
    return job.accepted(track)


def _moved(row: ClipRow, old: Path, new: Path) -> ClipRow:
    """The row with its paths relative to the new manifest's folder."""
    update = {"video": os.path.relpath(old / row.video, new)}
    if row.truth_track is not None:
        update["truth_track"] = os.path.relpath(old / row.truth_track, new)
    return row.model_copy(update=update)
