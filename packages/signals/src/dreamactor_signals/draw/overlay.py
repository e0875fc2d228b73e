"""A track drawn over its own video, for a person to judge by eye."""

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance

from dreamactor_signals.draw.canvas import Canvas
from dreamactor_signals.draw.capsules import paint_capsules
from dreamactor_signals.draw.landmarks import draw_landmarks
from dreamactor_signals.draw.skeleton import draw_skeletons
from dreamactor_signals.draw.sphere import draw_spheres
from dreamactor_signals.visibility import SEEN

_SPHERE_OPACITY = 0.45
_BOX_COLOUR = (255.0, 255.0, 255.0)
_BOX_HALF_WIDTH = 1 / 640
_LEAST_BOX_PX = 0.5


def overlay(image: np.ndarray, track: MotionTrack, frame: int, guidance: Guidance = "sphere") -> np.ndarray:
    """The image with the frame's head (the sphere half transparent), bones and face box on it.

    Args:
        image: (H, W, 3) uint8 of the track's frame size, or of that size scaled.
        track: T frames.
        frame: the one that the image shows.
        guidance: what shows the head.

    Returns:
        A new (H, W, 3) uint8 image.

    Raises:
        InputError: the track has no such frame.
    """
    if not 0 <= frame < len(track):
        raise InputError(f"the track has frames 0 to {len(track) - 1}, not {frame}")
    drawn = np.array(image, dtype=np.uint8, order="C")
    canvas = Canvas.of(track, (image.shape[1], image.shape[0]))
    planes = drawn.transpose(2, 0, 1)
    shown = track[frame : frame + 1]
    if guidance == "sphere":
        draw_spheres(planes[None], shown, canvas, opacity=_SPHERE_OPACITY)
    else:
        draw_landmarks(planes[None], shown, canvas)
    draw_skeletons(planes[None], shown, canvas)
    if track.face_confidence[frame] >= SEEN:
        _draw_box(planes, track.face_boxes_px[frame] * np.tile(canvas.scale, 2), canvas)
    return drawn


def _draw_box(planes: np.ndarray, box_px: np.ndarray, canvas: Canvas) -> None:
    x0, y0, x1, y1 = box_px
    sides_px = np.array([(x0, y0, x1, y0), (x1, y0, x1, y1), (x1, y1, x0, y1), (x0, y1, x0, y0)], dtype=np.float64)
    half_width_px = max(canvas.shorter_side() * _BOX_HALF_WIDTH, _LEAST_BOX_PX)
    paint_capsules(planes, sides_px, np.tile(np.array(_BOX_COLOUR), (4, 1)), np.full(4, half_width_px), 1.0)
