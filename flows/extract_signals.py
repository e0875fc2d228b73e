"""extract-signals: motion tracks of the data set, or of any folder of videos."""

from pathlib import Path

from dreamactor_core.errors import InputError
from dreamactor_core.lineage import SIGNALS
from dreamactor_core.settings import load_settings
from prefect import flow, task, unmapped
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait

from flows.reproduction import reproduce_stage
from flows.tables import markdown_table
from flows.task_runners import task_runner

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi"})


@flow(name="extract-signals", persist_result=False)
def extract_signals(videos: str | None = None, output: str | None = None) -> list[str]:
    """Track every clip of the data set (DVC stage signals), or every video in a folder of its own.

    Args:
        videos: a folder of videos outside the data set, such as tomorrow's driving videos; mapped over threads, or
            over the cluster of `operations.cluster`.
        output: the folder of their tracks; needed with `videos`.

    Returns:
        The folder of the data set's tracks, or the track files that could be made. A video that cannot be tracked
        never stops the others: it is in the report, and the flow fails only if none could be.
    """
    if videos is None:
        reproduce_stage("signals")
        return [SIGNALS]
    if output is None:
        raise InputError("videos without an output folder", remedy="Set the parameter output too")
    runner = task_runner(load_settings().operations)
    return track_folder.with_options(task_runner=runner)(Path(videos).resolve(), Path(output).resolve())


@flow(name="track-folder", persist_result=False)
def track_folder(videos: Path, output: Path) -> list[str]:
    """Track every video in a folder, by as many workers as there are. Returns the track files that could be made."""
    found = sorted(path for path in videos.glob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    if not found:
        raise InputError(
            "no videos in this folder", path=videos, remedy=f"Known are {', '.join(sorted(VIDEO_SUFFIXES))}"
        )
    futures = extract_track.map([str(video) for video in found], unmapped(str(output)))
    wait(futures)
    made, rows = [], []
    for video, future in zip(found, futures, strict=True):
        state = future.state
        if state.is_completed():
            made.append(str(_track_path(video, output)))
        rows.append({"video": video.name, "state": state.name, "reason": "" if state.is_completed() else state.message})
    create_markdown_artifact(markdown_table(rows), key="tracks", description=f"Tracks in {output}")
    if not made:
        raise InputError("none of the videos could be tracked", path=videos, remedy="See the artifact `tracks`")
    return made


@task(task_run_name="track {video}", cache_policy=NO_CACHE)
def extract_track(video: str, output: str) -> None:
    """One video to one track file."""
    from dreamactor_signals.extraction import extract_video
    from dreamactor_signals.trackers import make_tracker

    # A tracker keeps state from frame to frame: every thread has its own.
    track = extract_video(Path(video), make_tracker(load_settings().signals))
    track.save(_track_path(Path(video), Path(output)))


def _track_path(video: Path, output: Path) -> Path:
    return output / f"{video.name}.safetensors"
