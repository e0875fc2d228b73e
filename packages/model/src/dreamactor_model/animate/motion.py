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
class DrivenMotion:
    """A `MotionSource` (`dreamactor_model.sampling.stream`) that never holds more than one segment's pixels.

    Attributes:
        video: the driving video.
        driving: its own track; the face boxes are in the video's pixels.
        retargeted: the same performance by the subject's body, seen by the subject's camera; with face tokens where
            speech moves the face.
        size: width and height of the canvas.
        own_face: (224, 224, 3) uint8 of the subject, in place of the driving faces if these are not transferred.
        guidance: what shows the head in control maps.
    """

    video: Path
    driving: MotionTrack
    retargeted: MotionTrack
    size: tuple[int, int]
    own_face: np.ndarray | None = None
    guidance: Guidance = "sphere"

    def __len__(self) -> int:
        return len(self.retargeted)

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        return self.retargeted.fps

    def control_maps(self, frames: Sequence[int]) -> np.ndarray:
        """(T, 6, H, W) uint8 skeleton and head maps."""
        return control_maps(self.retargeted[list(frames)], self.size, self.guidance)

    def face_crops(self, frames: Sequence[int]) -> np.ndarray:
        """(T, 224, 224, 3) uint8, black where no face is seen."""
        if self.own_face is not None:
            return np.repeat(self.own_face[None], len(frames), axis=0)
        windows = self._face_windows
        crops = np.zeros((len(frames), FACE_CROP_PX, FACE_CROP_PX, 3), np.uint8)
        with open_video(self.video, indices=frames) as reader:
            for crop, index, frame in zip(crops, frames, reader, strict=True):
                window = windows[index]
                if window is not None:
                    crop[:] = window.crop(frame, FACE_CROP_PX)
        return crops

    def face_tokens(self, frames: Sequence[int]) -> np.ndarray | None:
        """(T, C) float32 where speech moves the face, else None."""
        return _tokens(self.retargeted, frames)

    def driving_frames(self, frames: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 of the driving video, for people to compare with."""
        return read_frames(self.video, frames)

    @cached_property
    def _face_windows(self) -> list[Region | None]:
        # Of the whole clip at once: they are steadied over time, and every segment asks for some.
        return face_windows(self.driving.face_boxes_px)


@dataclass(frozen=True)
class SpokenMotion:
    """A `MotionSource` without a video: a pose, and face tokens that speech made.

    Attributes:
        track: in the subject's camera, with face tokens.
        size: width and height of the canvas.
        guidance: what shows the head in control maps.
    """

    track: MotionTrack
    size: tuple[int, int]
    guidance: Guidance = "sphere"

    def __len__(self) -> int:
        return len(self.track)

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        return self.track.fps

    def control_maps(self, frames: Sequence[int]) -> np.ndarray:
        """(T, 6, H, W) uint8 skeleton and head maps."""
        return control_maps(self.track[list(frames)], self.size, self.guidance)

    def face_crops(self, frames: Sequence[int]) -> None:  # noqa: ARG002 - the signature is the protocol's
        """None: there is no picture of a face."""
        return

    def face_tokens(self, frames: Sequence[int]) -> np.ndarray | None:
        """(T, C) float32."""
        return _tokens(self.track, frames)

    def driving_frames(self, frames: Sequence[int]) -> None:  # noqa: ARG002 - as that of `DrivenMotion`
        """None: nothing was filmed."""
        return


def _tokens(track: MotionTrack, frames: Sequence[int]) -> np.ndarray | None:
    return None if track.face_tokens is None else track.face_tokens[list(frames)]
