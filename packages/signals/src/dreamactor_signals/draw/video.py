"""A track drawn as a video, with a contact sheet beside it."""

from pathlib import Path

import numpy as np
from dreamactor_core.console import progress
from dreamactor_core.contact_sheet import write_contact_sheet
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance
from dreamactor_core.video import VideoInfo, VideoWriter, open_video

from dreamactor_signals.draw.control_maps import SKELETON_CHANNELS, SPHERE_CHANNELS, control_maps
from dreamactor_signals.draw.overlay import overlay

_SHEET_ROWS = 6
_SHEET_COLUMNS = ("video", "overlay", "skeleton", "head")


def draw_video(
    video: Path, track: MotionTrack, output: Path, *, maps_only: bool = False, guidance: Guidance = "sphere"
) -> Path:
    """Write a video's frames with its track on them, or the bare control maps, skeleton left and head right.

    Args:
        video: the one that the track was read from.
        track: as many frames as the video, of its size.
        output: the mp4; it keeps rate and sound.
        maps_only: the control maps alone.
        guidance: what shows the head.

    Returns:
        The contact sheet, a PNG beside the mp4.

    Raises:
        InputError: the track is of another video, or the video cannot be read.
    """
    cells: list[list[np.ndarray]] = [[] for _ in _SHEET_COLUMNS]
    with open_video(video) as reader:
        _check_fits(track, reader.info, video)
        width, height = _even(reader.info)
        size = (2 * width, height) if maps_only else (width, height)
        shown = set(np.linspace(0, len(track) - 1, min(_SHEET_ROWS, len(track))).round().astype(int).tolist())
        with VideoWriter(output, track.fps, size=size, audio_from=video) as writer:
            for frame, image in enumerate(progress(reader, f"drawing {output.name}", total=len(track))):
                drawn, skeleton, sphere = _pictures(image, track, frame, guidance)
                written = np.concatenate([skeleton[:, :width], sphere[:, :width]], axis=1) if maps_only else drawn
                writer.write(written[:height, : size[0]])
                if frame in shown:
                    for column, cell in zip(cells, (image, drawn, skeleton, sphere), strict=True):
                        column.append(cell)
    sheet = output.with_suffix(".png")
    write_contact_sheet(sheet, dict(zip(_SHEET_COLUMNS, cells, strict=True)), rows=_SHEET_ROWS)
    return sheet


def _pictures(
    image: np.ndarray, track: MotionTrack, frame: int, guidance: Guidance
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W, 3) overlay, skeleton map and head map of one frame."""
    (map_6HW,) = control_maps(track[frame : frame + 1], track.frame_size, guidance)
    skeleton, sphere = (map_6HW[channels].transpose(1, 2, 0) for channels in (SKELETON_CHANNELS, SPHERE_CHANNELS))
    return overlay(image, track, frame, guidance), skeleton, sphere


def _even(info: VideoInfo) -> tuple[int, int]:
    """The size without an odd last column or row, which H.264 cannot hold."""
    width, height = info.width // 2 * 2, info.height // 2 * 2
    if min(width, height) == 0:
        raise InputError(f"a video of {info.width}x{info.height} pixels is too small to draw on")
    return width, height


def _check_fits(track: MotionTrack, info: VideoInfo, video: Path) -> None:
    remedy = "Leave --track away to track the video now, or give the track made from it"
    if len(track) != info.frame_count:
        raise InputError(f"has {info.frame_count} frames, the track {len(track)}", path=video, remedy=remedy)
    if track.frame_size != (info.width, info.height):
        sizes = f"is {info.width}x{info.height}, the track {track.frame_size[0]}x{track.frame_size[1]}"
        raise InputError(sizes, path=video, remedy=remedy)
