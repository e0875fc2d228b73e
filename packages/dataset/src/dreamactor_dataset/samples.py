"""One draw becomes one training sample: pixels, control maps, face crops and units, references.

Each part can be had alone, so that training on cached latents reads no pixel: `motion` needs the track only.
Legend: T window frames, K context frames before them, R references, H W training frame, C channels, U face units.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import DecodeError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_core.video import read_frames

from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.fitting import Fit, resize
from dreamactor_dataset.references import half_body_box_px, nearest_half_body
from dreamactor_dataset.sampling import LATENT_STRIDE, Draw


@dataclass(frozen=True, eq=False)
class MotionSample:
    """What drives the window; made without reading a pixel.

    Attributes:
        control: (T, 6, H, W) uint8, skeleton RGB and head sphere RGB.
        face_confidence: (T,) float32.
        face_units: (T, 52) float32, or None where the track has none.
        track: the window's track, in pixels of the training frame.
    """

    control: np.ndarray
    face_confidence: np.ndarray
    face_units: np.ndarray | None
    track: MotionTrack


@dataclass(frozen=True, eq=False)
class Sample:
    """One training sample.

    Attributes:
        draw: what was drawn.
        clip_id: the clip's name, for logs.
        video: (K + T, H, W, 3) uint8. Encode all of it and keep the last (T - 1) / 4 + 1 latents.
        context_frames: K, a multiple of 4, 0 unless the draw is carried.
        motion: control maps, face units and track of the T window frames.
        face_crops: (T, S, S, 3) uint8, black where no face was found.
        references: (R, H, W, 3) uint8.
    """

    draw: Draw
    clip_id: str
    video: np.ndarray
    context_frames: int
    motion: MotionSample
    face_crops: np.ndarray
    references: np.ndarray


class SampleLoader:
    """Turns draws into samples. Holds no open file: every worker and every resumed run may have its own.

    Args:
        clips: the clips the sampler drew from.
        settings: the settings it drew with.
    """

    def __init__(self, clips: ClipSet, settings: SamplingDataSettings) -> None:
        self._clips, self._settings = clips, settings

    def sample(self, draw: Draw) -> Sample:
        """All of it.

        Raises:
            InputError, DecodeError, TrackError: a file is missing, damaged or shorter than its row says.
        """
        from dreamactor_signals.faces import crop_faces

        context_frames = self.context_frames(draw)
        source_THWC = self._read(draw, range(draw.start - context_frames, draw.start + draw.frame_count))
        track = self._window_track(draw)
        return Sample(
            draw=draw,
            clip_id=self._clips.rows[draw.clip_index].clip_id,
            video=self._fit(draw).frames(source_THWC),
            context_frames=context_frames,
            motion=self.motion(draw),
            # From the source: the training frame may be too small to show a face.
            face_crops=crop_faces(source_THWC[context_frames:], _visible_boxes_px(track)),
            references=self.references(draw),
        )

    def motion(self, draw: Draw) -> MotionSample:
        """The control maps and face units of the window, without decoding the video."""
        from dreamactor_signals.draw import control_maps

        track = self._fit(draw).track(self._window_track(draw))
        return MotionSample(control_maps(track, draw.size), track.face_confidence, track.face_units, track)

    def references(self, draw: Draw) -> np.ndarray:
        """(R, H, W, 3) uint8: the whole frames in the order of the draw, then the half-body crop if one was drawn."""
        frames = list(draw.reference_frames)
        if draw.half_body_frame is None:
            return self._fit(draw).frames(self._read(draw, frames))
        track = self._clips.reference_track(draw.clip_index)
        half_body_frame = nearest_half_body(track, draw.half_body_frame)
        assert half_body_frame is not None  # the clip table marks no other clip as full body
        *whole, last = self._read(draw, [*frames, half_body_frame])
        x0, y0, x1, y1 = half_body_box_px(track, half_body_frame, draw.size[0] / draw.size[1])
        crop = resize(last[y0:y1, x0:x1], draw.size)
        return np.stack([*(self._fit(draw).frames(np.stack(whole)) if whole else ()), crop])

    def context_frames(self, draw: Draw) -> int:
        """Frames to encode before a carried window, so that its first latent has a past as it has at inference."""
        return min(draw.start, LATENT_STRIDE * self._settings.context_latents) if draw.carried else 0

    def _fit(self, draw: Draw) -> Fit:
        row = self._clips.rows[draw.clip_index]
        return Fit.cover((row.width, row.height), draw.size)

    def _window_track(self, draw: Draw) -> MotionTrack:
        track = self._clips.track(draw.clip_index, truth=draw.use_truth)
        return track[draw.start : draw.start + draw.frame_count]

    def _read(self, draw: Draw, frames: range | list[int]) -> np.ndarray:
        row = self._clips.rows[draw.clip_index]
        frames_THWC = read_frames(self._clips.video(draw.clip_index), frames)
        if frames_THWC.shape[1:3] != (row.height, row.width):
            raise DecodeError(
                f"frames of {frames_THWC.shape[2]}x{frames_THWC.shape[1]}, the manifest says {row.width}x{row.height}",
                path=self._clips.video(draw.clip_index),
                remedy="Ingest again",
            )
        return frames_THWC


def _visible_boxes_px(track: MotionTrack) -> np.ndarray:
    """(T, 4) face boxes, empty where no face was found."""
    return np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
