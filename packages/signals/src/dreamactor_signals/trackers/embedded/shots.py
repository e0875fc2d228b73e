"""Where a clip jumps: a cut, or another person found after the first was lost. Nothing is smoothed across."""

from collections.abc import Sequence

import cv2
import numpy as np

from dreamactor_signals.trackers.embedded.readings import FrameReading

# A body that moves by more than this share of its own size between two sightings is not the same sighting.
_BODY_JUMP = 0.4
_FACE_JUMP = 0.8
# Whole pictures differ by about 0.02 from frame to frame, by up to 0.07 where cameras jerk, by more than 0.12 at cuts.
_SCENE_JUMP = 0.1
_SCENE_PX = 12


def scene_of(frame: np.ndarray) -> np.ndarray:
    """A (H, W, 3) uint8 frame in a few pixels, each the mean of its part of the picture."""
    return cv2.resize(frame, (_SCENE_PX, _SCENE_PX), interpolation=cv2.INTER_AREA)


def split_shots(readings: Sequence[FrameReading]) -> list[slice]:
    """Slices of frames, together the whole clip, within which one person moves continuously."""
    starts = [0]
    last: FrameReading | None = None
    for index, reading in enumerate(readings):
        if reading.body is None and reading.face is None:
            continue
        if last is not None and _jumps(last, reading):
            starts.append(index)
        last = reading
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(readings)], strict=True)]


def _jumps(before: FrameReading, after: FrameReading) -> bool:
    if before.scene is not None and after.scene is not None:
        change = np.abs(before.scene.astype(np.float64) - after.scene).mean() / 255
        # A cut from one close-up to another may leave the face where it was.
        if change > _SCENE_JUMP:
            return True
    if before.body is not None and after.body is not None:
        # The middle of the points: a limb may leap, and sides may be exchanged.
        return _distance(_middle(before.body.points_px), _middle(after.body.points_px)) > _BODY_JUMP * max(
            float(np.ptp(body.points_px, axis=0).max()) for body in (before.body, after.body)
        )
    if before.face is not None and after.face is not None:
        boxes = before.face.box_px.reshape(2, 2), after.face.box_px.reshape(2, 2)
        return _distance(_middle(boxes[0]), _middle(boxes[1])) > _FACE_JUMP * max(
            float(np.ptp(box, axis=0).max()) for box in boxes
        )
    return False


def _middle(points_px: np.ndarray) -> np.ndarray:
    return points_px.mean(axis=0)


def _distance(a_px: np.ndarray, b_px: np.ndarray) -> float:
    return float(np.linalg.norm(a_px - b_px))
