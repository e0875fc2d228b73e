"""One draw becomes one training sample: pixels, control maps, face crops and units, references.

Each part can be had alone, so that training on cached latents reads no pixel: `motion` needs the track only.
Legend: T window frames, K context frames before them, R references, H W training frame, C channels, U face units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import DecodeError, InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_core.settings.signals import Guidance
from dreamactor_core.video import read_frames

from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.fitting import Fit, resize
from dreamactor_dataset.sampling import LATENT_STRIDE, Draw


@dataclass(frozen=True, eq=False)
class MotionSample:
    """What drives the window; made without reading a pixel.

    Attributes:
        control_TCHW: (T, 6, H, W) uint8, skeleton RGB and head sphere RGB.
        face_confidence_T: (T,) float32.
        face_units_TU: (T, 52) float32, or None where the track has none.
        track: the window's track, in pixels of the training frame.
    """

    control_TCHW: np.ndarray
    face_confidence_T: np.ndarray
    face_units_TU: np.ndarray | None
    track: MotionTrack


@dataclass(frozen=True, eq=False)
class Sample:
    """One training sample.

    Attributes:
        draw: what was drawn.
        clip_id: the clip's name, for logs.
        video_THWC: (K + T, H, W, 3) uint8. Encode all of it and keep the last (T - 1) / 4 + 1 latents.
        context_frames: K, a multiple of 4, 0 unless the draw is carried.
        motion: control maps, face units and track of the T window frames.
        face_crops_THWC: (T, S, S, 3) uint8, black where no face was found.
        references_RHWC: (R, H, W, 3) uint8.
    """

    draw: Draw
    clip_id: str
    video_THWC: np.ndarray
    context_frames: int
    motion: MotionSample
    face_crops_THWC: np.ndarray
    references_RHWC: np.ndarray


class SampleLoader:
    """Turns draws into samples. Holds no open file: every worker and every resumed run may have its own.

    Args:
        clips: the clips the sampler drew from.
        settings: the settings it drew with.
        guidance: what shows the head in control maps.
    """

    def __init__(self, clips: ClipSet, settings: SamplingDataSettings, guidance: Guidance = "sphere") -> None:
        self._clips, self._settings, self._guidance = clips, settings, guidance

    def sample(self, draw: Draw) -> Sample:
        """All of it.

        Raises:
            InputError, DecodeError, TrackError: a file is missing, damaged or shorter than its row says.
        """
        from dreamactor_signals.faces import crop_faces

        context_frames = self.context_frames(draw)
        source_THWC = self._read(draw.clip_index, range(draw.start - context_frames, draw.start + draw.frame_count))
        track = self._window_track(draw)
        return Sample(
            draw=draw,
            clip_id=self._clips.rows[draw.clip_index].clip_id,
            video_THWC=self._fit(draw).frames(source_THWC),
            context_frames=context_frames,
            motion=self.motion(draw),
            # From the source: the training frame may be too small to show a face.
            face_crops_THWC=crop_faces(source_THWC[context_frames:], _visible_boxes_px(track)),
            references_RHWC=self.references(draw),
        )

    def motion(self, draw: Draw) -> MotionSample:
        """The control maps and face units of the window, without decoding the video."""
        from dreamactor_signals.draw import control_maps

        track = self._fit(draw).track(self._window_track(draw))
        return MotionSample(
            control_maps(track, draw.size, self._guidance), track.face_confidence, track.face_units, track
        )

    def references(self, draw: Draw) -> np.ndarray:
        """(R, H, W, 3) uint8: the whole frames in the order of the draw, then the half-body crop if one was drawn."""
        parts_RHWC = []
        if draw.reference_frames:
            parts_RHWC.append(self._fit(draw).frames(self._read(draw.clip_index, draw.reference_frames)))
        if draw.half_body_frame is not None:
            parts_RHWC.append(self.half_body(draw.clip_index, draw.half_body_frame, draw.size)[None])
        return np.concatenate(parts_RHWC)

    def half_body(self, clip_index: int, frame: int, size: tuple[int, int]) -> np.ndarray:
        """(H, W, 3) uint8 half-body crop of the frame nearest to `frame` that shows head and torso.

        Args:
            clip_index: a clip that the table marks as full body.
            frame: of the clip.
            size: width and height of the crop.

        Raises:
            InputError: no frame of the clip shows head and torso.
        """
        from dreamactor_signals.views import half_body_crop, half_body_frame

        track = self._clips.reference_track(clip_index)
        seen = half_body_frame(track, frame)
        if seen is None:
            raise InputError(f"no frame of clip {self._clips.rows[clip_index].clip_id} shows head and torso")
        image_HWC = self._read(clip_index, [seen])[0]
        return resize(half_body_crop(image_HWC, track, seen, size[0] / size[1]), size)

    def context_frames(self, draw: Draw) -> int:
        """Frames to encode before a carried window, so that its first latent has a past as it has at inference."""
        return min(draw.start, LATENT_STRIDE * self._settings.context_latents) if draw.carried else 0

    def _fit(self, draw: Draw) -> Fit:
        row = self._clips.rows[draw.clip_index]
        return Fit.cover((row.width, row.height), draw.size)

    def _window_track(self, draw: Draw) -> MotionTrack:
        track = self._clips.track(draw.clip_index, truth=draw.use_truth)
        return track[draw.start : draw.start + draw.frame_count]

    def _read(self, clip_index: int, frames: Sequence[int]) -> np.ndarray:
        row = self._clips.rows[clip_index]
        frames_THWC = read_frames(self._clips.video(clip_index), frames)
        if frames_THWC.shape[1:3] != (row.height, row.width):
            raise DecodeError(
                f"frames of {frames_THWC.shape[2]}x{frames_THWC.shape[1]}, the manifest says {row.width}x{row.height}",
                path=self._clips.video(clip_index),
                remedy="Ingest again",
            )
        return frames_THWC


def _visible_boxes_px(track: MotionTrack) -> np.ndarray:
    """(T, 4) face boxes, empty where no face was found."""
    return np.where(track.face_confidence[:, None] > 0, track.face_boxes_px, 0)
