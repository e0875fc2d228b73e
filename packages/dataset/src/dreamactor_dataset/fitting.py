"""From a clip's frame to the training frame: one uniform scale and a centred cut of a few pixels, aspect kept.

Frames and motion tracks go through the same `Fit`, so that drawn controls stay on the person.
Legend: T frames, H W source size; C channels.
"""

from dataclasses import dataclass, replace

import numpy as np
from dreamactor_core.motion_track import MotionTrack

SIDE_MULTIPLE = 16
"""The VAE shrinks each side by 8 and the model's patches by 2 more."""


def bucket_size(width: int, height: int, area: int, fineness: int = 1) -> tuple[int, int]:
    """Width and height of about `area` pixels, aspect kept as well as multiples of 16 allow (paper 4.1).

    Args:
        fineness: then as many times wider and higher.
    """
    scale = (area / (width * height)) ** 0.5
    return fineness * _nearest_side(width * scale), fineness * _nearest_side(height * scale)


def _nearest_side(length: float) -> int:
    return max(SIDE_MULTIPLE, round(length / SIDE_MULTIPLE) * SIDE_MULTIPLE)


@dataclass(frozen=True)
class Fit:
    """Scale a frame by `scale` to `scaled_size`, then cut `size` at `offset_px`."""

    scale: float
    scaled_size: tuple[int, int]
    offset_px: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def cover(cls, frame_size: tuple[int, int], size: tuple[int, int]) -> "Fit":
        """The fit that fills `size` (width, height) and loses equally on both sides of one axis."""
        scale = max(size[0] / frame_size[0], size[1] / frame_size[1])
        scaled = (max(size[0], round(frame_size[0] * scale)), max(size[1], round(frame_size[1] * scale)))
        offset = ((scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2)
        return cls(scale, scaled, offset, size)

    def frames(self, frames_THWC: np.ndarray) -> np.ndarray:
        """(T, H, W, 3) uint8 -> (T, height, width, 3) uint8."""
        return np.stack([self.frame(frame) for frame in frames_THWC])

    def frame(self, frame_HWC: np.ndarray) -> np.ndarray:
        """One of them."""
        (x, y), (width, height) = self.offset_px, self.size
        return resize(frame_HWC, self.scaled_size)[y : y + height, x : x + width]

    def track(self, track: MotionTrack) -> MotionTrack:
        """The same performance seen by the scaled and cut camera."""
        offset_px = np.array(self.offset_px, dtype=np.float32)
        return replace(
            track,
            focal_px=track.focal_px * self.scale,
            principal_px=track.principal_px * self.scale - offset_px,
            frame_size=self.size,
            face_boxes_px=track.face_boxes_px * self.scale - np.tile(offset_px, 2),
        )


def shrink_frames(frames_THWC: np.ndarray, fineness: int) -> np.ndarray:
    """(T, H, W, 3) uint8, sides divided by `fineness`; there may be none."""
    if fineness == 1:
        return frames_THWC
    count, height, width, channels = frames_THWC.shape
    shrunk = np.empty((count, height // fineness, width // fineness, channels), np.uint8)
    for small, frame in zip(shrunk, frames_THWC, strict=True):
        small[...] = resize(frame, (width // fineness, height // fineness))
    return shrunk


def resize(frame_HWC: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One (H, W, 3) frame at another width and height."""
    import cv2

    if frame_HWC.shape[1::-1] == size:
        return frame_HWC
    # Area averaging neither aliases when shrinking nor, unlike a cubic, rings at edges.
    shrinks = size[0] < frame_HWC.shape[1]
    return cv2.resize(frame_HWC, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
