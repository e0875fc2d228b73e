"""A track drawn over its own video, for a person to judge by eye."""

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance

from dreamactor_signals.draw.canvas import Canvas
from dreamactor_signals.draw.capsules import paint_capsules
from dreamactor_signals.draw.guidance import BODY_AND_HEAD
from dreamactor_signals.visibility import SEEN

# Of body and head: what is a surface lets the picture show through.
_OPACITIES: dict[Guidance, tuple[float, float]] = {"sphere": (1.0, 0.45), "landmarks": (1.0, 1.0), "mesh": (0.5, 0.5)}
_BOX_COLOUR = (255.0, 255.0, 255.0)
_BOX_HALF_WIDTH = 1 / 640
_LEAST_BOX_PX = 0.5


def overlay(image: np.ndarray, track: MotionTrack, frame: int, guidance: Guidance = "sphere") -> np.ndarray:
    """The image with the frame's head and body (surfaces half transparent) and face box on it.

    Args:
        image: (H, W, 3) uint8 of the track's frame size, or of that size scaled.
        track: T frames.
        frame: the one that the image shows.
        guidance: what shows them.

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
    draw_bodies, draw_heads = BODY_AND_HEAD[guidance]
    body_opacity, head_opacity = _OPACITIES[guidance]
    draw_heads(planes[None], shown, canvas, opacity=head_opacity)
    draw_bodies(planes[None], shown, canvas, opacity=body_opacity)
    if track.face_confidence[frame] >= SEEN:
        _draw_box(planes, track.face_boxes_px[frame] * np.tile(canvas.scale, 2), canvas)
    return drawn


def _draw_box(planes: np.ndarray, box_px: np.ndarray, canvas: Canvas) -> None:
    x0, y0, x1, y1 = box_px
    sides_px = np.array([(x0, y0, x1, y0), (x1, y0, x1, y1), (x1, y1, x0, y1), (x0, y1, x0, y0)], dtype=np.float64)
    half_width_px = max(canvas.shorter_side() * _BOX_HALF_WIDTH, _LEAST_BOX_PX)
    paint_capsules(planes, sides_px, np.tile(np.array(_BOX_COLOUR), (4, 1)), np.full(4, half_width_px), 1.0)
