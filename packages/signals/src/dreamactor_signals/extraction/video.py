"""The motion track of one video."""

from itertools import islice
from pathlib import Path

from dreamactor_core.console import progress
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.video import open_video

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
