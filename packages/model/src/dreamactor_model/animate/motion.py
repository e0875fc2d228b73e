"""The driving side, asked for one segment at a time: maps drawn from the track, faces cut from the video or spoken.

Legend: T video frames, H W canvas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance
from dreamactor_core.video import open_video, read_frames
from dreamactor_signals.draw import control_maps
from dreamactor_signals.faces import face_windows
from dreamactor_signals.litert.regions import Region

from dreamactor_model.presets import FACE_CROP_PX


@dataclass(frozen=True)
class TrackMotion:
    """A `MotionSource` (`dreamactor_model.sampling.stream`) without a video: a pose to show, and what moves the face.

    Attributes:
        track: the performance by the subject's body, seen by the subject's camera; with face tokens where speech moves
            the face.
        size: width and height of the canvas.
        guidance: what shows the head in control maps.
        own_face: (224, 224, 3) uint8 of the subject, where its face is to stay as it is.
    """

    track: MotionTrack
    size: tuple[int, int]
    guidance: Guidance = "sphere"
    own_face: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.track)

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        return self.track.fps

    def control_maps(self, frames: Sequence[int]) -> np.ndarray:
        """(T, 6, H, W) uint8 skeleton and head maps."""
        return control_maps(self.track[list(frames)], self.size, self.guidance)

    def poses(self, frames: Sequence[int]) -> MotionTrack:
        """How the subject is to stand."""
        return self.track[list(frames)]

    def face_crops(self, frames: Sequence[int]) -> np.ndarray | None:
        """(T, 224, 224, 3) uint8 of the subject's own face; None: there is no picture of a face."""
        return None if self.own_face is None else np.repeat(self.own_face[None], len(frames), axis=0)

    def face_tokens(self, frames: Sequence[int]) -> np.ndarray | None:
        """(T, C) float32 where speech moves the face, else None."""
        tokens_TC = self.track.face_tokens
        return None if tokens_TC is None else tokens_TC[list(frames)]

    def driving_frames(self, frames: Sequence[int]) -> np.ndarray | None:  # noqa: ARG002 - as that of `DrivenMotion`
        """None: nothing was filmed."""
        return None


@dataclass(frozen=True, kw_only=True)
class DrivenMotion(TrackMotion):
    """A video drives. It never holds more than one segment's pixels.

    Attributes:
        video: the driving video.
        driving: its own track; the face boxes are in the video's pixels.
    """

    video: Path
    driving: MotionTrack

    def face_crops(self, frames: Sequence[int]) -> np.ndarray:
        """(T, 224, 224, 3) uint8 of the driving video unless the own face is to stay; black where none is seen."""
        own_THWC = super().face_crops(frames)
        if own_THWC is not None:
            return own_THWC
        windows = self._face_windows
        crops = np.zeros((len(frames), FACE_CROP_PX, FACE_CROP_PX, 3), np.uint8)
        with open_video(self.video, indices=frames) as reader:
            for crop, index, frame in zip(crops, frames, reader, strict=True):
                window = windows[index]
                if window is not None:
                    crop[:] = window.crop(frame, FACE_CROP_PX)
        return crops

    def driving_frames(self, frames: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 of the driving video, for people to compare with."""
        return read_frames(self.video, frames)

    @cached_property
    def _face_windows(self) -> list[Region | None]:
        # Of the whole clip at once: they are steadied over time, and every segment asks for some.
        return face_windows(self.driving.face_boxes_px)
