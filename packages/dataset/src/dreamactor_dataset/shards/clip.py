"""One clip of a manifest becomes a record: decoded once, frame after frame, scaled, and every picture compressed."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import DecodeError, InputError
from dreamactor_core.manifest import ClipRow
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.video import open_video

from dreamactor_dataset.fitting import Fit, bucket_size, resize
from dreamactor_dataset.shards.contents import (
    CROPS,
    FACE_PX,
    FRAMES,
    HALF_BODIES,
    HALF_BODY_CROPS,
    TRACK,
    TRUTH,
    half_body_of,
)
from dreamactor_dataset.shards.pictures import encode_picture
from dreamactor_dataset.shards.record import pack_record


@dataclass(frozen=True)
class PackedFacts:
    """What the index says of a clip: see `index.PackedClip`."""

    row: ClipRow
    size: tuple[int, int]
    yaw_frames: tuple[int, int, int]
    full_body: bool


def pack_clip(
    row: ClipRow, folder: Path, *, area: int, fineness: int, quality: int, full_colour: bool
) -> tuple[PackedFacts, bytes]:
    """Make the record of a clip.

    Args:
        row: of a kept clip with a track; paths are relative to `folder`.
        area: pixels of a training frame.
        fineness: sides of the packed frames, in those of training frames.
        quality: of the JPEG pictures.
        full_colour: whether frames keep their colour at full resolution; face crops always do.

    Raises:
        InputError, DecodeError, TrackError: the video or a track is missing, damaged, or not what the row says.
    """
    from dreamactor_signals.views import framing, half_body_frame, pick_views

    tracks = {
        name: _load_track(row, folder / path) for name, path in ((TRACK, row.track), (TRUTH, row.truth_track)) if path
    }
    track = tracks.get(TRACK) or tracks[TRUTH]
    shown = row.framing or framing(track)
    full_body = shown == "full" and half_body_frame(track, 0) is not None
    fit = Fit.cover((row.width, row.height), bucket_size(row.width, row.height, area, fineness))
    pictures = _Pictures(track, fit, quality, full_colour=full_colour, half_bodies=full_body)
    pictures.read(folder / row.video, row)
    most, least, median = (int(frame) for frame in pick_views(track))
    size = bucket_size(row.width, row.height, area)
    facts = PackedFacts(row.model_copy(update={"framing": shown}), size, (most, least, median), full_body)
    return facts, pack_record({}, pictures.pieces | {name: [each.to_bytes()] for name, each in tracks.items()})


def _load_track(row: ClipRow, path: Path) -> MotionTrack:
    track = MotionTrack.load(path)
    if len(track) != row.frame_count:
        raise InputError(
            f"{len(track)} frames, but clip {row.clip_id} has {row.frame_count}",
            path=path,
            remedy="Track the clips again",
        )
    return track


class _Pictures:
    """The compressed pictures of a clip, taken from its frames as they come."""

    def __init__(self, track: MotionTrack, fit: Fit, quality: int, *, full_colour: bool, half_bodies: bool) -> None:
        from dreamactor_signals.faces.windows import face_windows

        self._track, self._fit, self._quality, self._full_colour = track, fit, quality, full_colour
        boxes_px = np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
        self._windows = list(face_windows(boxes_px))
        self._half_body_slots = _half_body_slots(track) if half_bodies else {}
        self.pieces: dict[str, list[bytes]] = {FRAMES: [], CROPS: []}
        if half_bodies:
            self.pieces[HALF_BODIES] = [b""] * HALF_BODY_CROPS

    def read(self, video: Path, row: ClipRow) -> None:
        """Take all frames of the video."""
        with open_video(video) as frames:
            for index, frame_HW3 in enumerate(frames):
                if frame_HW3.shape[:2] != (row.height, row.width):
                    raise DecodeError(
                        f"frames of {frame_HW3.shape[1]}x{frame_HW3.shape[0]}, "
                        f"the manifest says {row.width}x{row.height}",
                        path=video,
                        remedy="Ingest again",
                    )
                if index < row.frame_count:
                    self._take(index, frame_HW3)
        if len(self.pieces[FRAMES]) != row.frame_count or index + 1 != row.frame_count:
            raise DecodeError(
                f"{index + 1} frames, the manifest says {row.frame_count}", path=video, remedy="Ingest again"
            )

    def _take(self, index: int, frame_HW3: np.ndarray) -> None:
        from dreamactor_signals.views import half_body_crop

        self.pieces[FRAMES].append(self._frame(self._fit.frame(frame_HW3)))
        window = self._windows[index]
        # From the source: the training frame may be too small to show a face.
        crop = b"" if window is None else self._crop(window.crop(frame_HW3, FACE_PX))
        self.pieces[CROPS].append(crop)
        for slot in self._half_body_slots.get(index, []):
            width, height = self._fit.size
            body_HW3 = resize(half_body_crop(frame_HW3, self._track, index, width / height), (width, height))
            self.pieces[HALF_BODIES][slot] = self._frame(body_HW3)

    def _frame(self, frame_HW3: np.ndarray) -> bytes:
        return encode_picture(frame_HW3, self._quality, full_colour=self._full_colour)

    def _crop(self, crop_SS3: np.ndarray) -> bytes:
        return encode_picture(crop_SS3, self._quality, full_colour=True)


def _half_body_slots(track: MotionTrack) -> dict[int, list[int]]:
    """Frames that show head and torso, as evenly spread as can be, and which of the crops each one makes."""
    slots = defaultdict(list)
    for slot in range(HALF_BODY_CROPS):
        slots[half_body_of(track, slot)].append(slot)
    return dict(slots)
