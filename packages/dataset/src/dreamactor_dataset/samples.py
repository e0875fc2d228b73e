"""One draw becomes one training sample: pixels, control maps, face crops and units, references.

Each part can be had alone, so that training on cached latents reads no pixel: motion needs a track only.
Legend: T window frames, K context frames before them, R references, H W training frame, C channels, U face units.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_core.settings.signals import Guidance

from dreamactor_dataset.augmentation import change_bones, change_colours
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.sampling import LATENT_STRIDE, Draw
from dreamactor_dataset.shards.contents import half_body_of


@dataclass(frozen=True, eq=False)
class MotionSample:
    """What drives the window; made without reading a pixel.

    Attributes:
        control_TCHW: (T, 6, H, W) uint8, skeleton RGB and head sphere RGB.
        face_confidence_T: (T,) float32.
        face_units_TU: (T, 52) float32, or None where the track has none.
        track: the window's own track, in pixels of the training frame.
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
        reference_control_RCHW: (R, 6, H, W) uint8, how the person stands in them.
        reference_poses: of each one frame, the pose that its control maps show, in its pixels.
    """

    draw: Draw
    clip_id: str
    video_THWC: np.ndarray
    context_frames: int
    motion: MotionSample
    face_crops_THWC: np.ndarray
    references_RHWC: np.ndarray
    reference_control_RCHW: np.ndarray
    reference_poses: tuple[MotionTrack, ...]


class SampleLoader:
    """Turns draws into samples. Every worker and every resumed run may have its own.

    Args:
        clips: the clips the sampler drew from.
        settings: the settings it drew with.
        guidance: what shows the head in control maps.
    """

    def __init__(self, clips: ClipSet, settings: SamplingDataSettings, guidance: Guidance = "sphere") -> None:
        self._clips, self._settings, self._guidance = clips, settings, guidance

    def open(self, draw: Draw) -> "SampleParts":
        """The sample part by part; nothing is read yet."""
        return SampleParts(draw, self._clips, self._settings, self._guidance)

    def sample(self, draw: Draw) -> Sample:
        """All of it.

        Raises:
            ShardError: the clip is damaged.
        """
        parts = self.open(draw)
        frames = range(draw.start - parts.context_frames, draw.start + draw.frame_count)
        return Sample(
            draw=draw,
            clip_id=self._clips.clip_id(draw.clip_index),
            video_THWC=self._clips.frames(draw.clip_index, frames),
            context_frames=parts.context_frames,
            motion=parts.motion(),
            face_crops_THWC=parts.face_crops(),
            references_RHWC=parts.references(),
            reference_control_RCHW=parts.reference_control(),
            reference_poses=parts.reference_poses(),
        )


class SampleParts:
    """One draw: what is not asked for is not read, and a track that several parts need is parsed once.

    Each part raises ShardError where the clip is damaged.
    """

    def __init__(self, draw: Draw, clips: ClipSet, settings: SamplingDataSettings, guidance: Guidance) -> None:
        self._draw, self._clips, self._settings, self._guidance = draw, clips, settings, guidance
        self._tracks: dict[bool, MotionTrack] = {}

    @property
    def context_frames(self) -> int:
        """Frames to encode before a carried window, so that its first latent has a past as it has at inference."""
        draw = self._draw
        return min(draw.start, LATENT_STRIDE * self._settings.context_latents) if draw.carried else 0

    def motion(self) -> MotionSample:
        """The control maps and face units of the window, without decoding a picture."""
        from dreamactor_signals.draw import control_maps

        draw = self._draw
        window = self._track(truth=draw.use_truth)[draw.start : draw.start + draw.frame_count]
        seen = self._clips.fit(draw.clip_index).track(window)
        drawn = change_bones(seen, self._settings.bone_shape, draw.augmentation)
        return MotionSample(control_maps(drawn, draw.size, self._guidance), seen.face_confidence, seen.face_units, seen)

    def reference_control(self) -> np.ndarray:
        """(R, 6, H, W) uint8: control maps of how the person stands in each reference, in the order of `references`."""
        from dreamactor_signals.draw import control_maps

        poses = self.reference_poses()
        return np.concatenate([control_maps(pose, self._draw.size, self._guidance) for pose in poses])

    def reference_poses(self) -> tuple[MotionTrack, ...]:
        """One frame each: how the person stands in the references, in their order and pixels."""
        whole, fit = self._reference_track(), self._clips.fit(self._draw.clip_index)
        poses = [fit.track(whole[frame : frame + 1]) for frame in self._draw.reference_frames]
        if self._draw.half_body_frame is not None:
            poses.append(self._half_body_pose(self._draw.half_body_frame))
        return tuple(poses)

    def face_crops(self) -> np.ndarray:
        """(T, S, S, 3) uint8: the faces that drive the window, in other colours than they have in it."""
        draw = self._draw
        crops_THWC = self._clips.crops(draw.clip_index, range(draw.start, draw.start + draw.frame_count))
        return change_colours(crops_THWC, self._settings.face_colour, draw.augmentation)

    def references(self) -> np.ndarray:
        """(R, H, W, 3) uint8: the whole frames in the order of the draw, then the half-body crop if one was drawn."""
        draw = self._draw
        whole_RHWC = self._clips.frames(draw.clip_index, draw.reference_frames)
        if draw.half_body_frame is None:
            return whole_RHWC
        return np.concatenate([whole_RHWC, self._clips.half_bodies(draw.clip_index, [draw.half_body_frame])])

    def _half_body_pose(self, frame: int) -> MotionTrack:
        """One frame, as the half-body crop nearest to `frame` shows it."""
        from dreamactor_signals.views import half_body_track

        track = self._reference_track()
        shown = half_body_of(track, self._clips.half_body_slot(self._draw.clip_index, frame))
        return half_body_track(track, shown, self._draw.size)

    def _reference_track(self) -> MotionTrack:
        return self._track(truth=self._clips.references_by_truth(self._draw.clip_index))

    def _track(self, *, truth: bool) -> MotionTrack:
        if truth not in self._tracks:
            self._tracks[truth] = self._clips.track(self._draw.clip_index, truth=truth)
        return self._tracks[truth]
