"""The motion track of one video: its person first, then two more looks at how the picture moves."""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from dreamactor_core.console import progress
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.video import open_video

from dreamactor_signals.flow import look_again, with_surfaces
from dreamactor_signals.trackers import Tracker


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
    track = _tracked(video, tracker, watched=watched, max_frames=max_frames)
    track = _looked_at(video, track, "a second look at", look_again, watched=watched)
    return _looked_at(video, track, "clothes of", with_surfaces, watched=watched)


def _looked_at(
    video: Path,
    track: MotionTrack,
    title: str,
    look: Callable[[MotionTrack, Iterable[np.ndarray]], MotionTrack],
    *,
    watched: bool,
) -> MotionTrack:
    with open_video(video) as reader:
        wanted = islice(reader, len(track))
        return look(track, progress(wanted, f"{title} {video.name}", total=len(track)) if watched else wanted)


def _tracked(video: Path, tracker: Tracker, *, watched: bool, max_frames: int | None) -> MotionTrack:
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
