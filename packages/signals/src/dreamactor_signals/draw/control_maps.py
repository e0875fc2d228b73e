"""The pose encoder's input: body and head, skeleton and sphere, concatenated in the channels (paper 3.2).

Legend: T video frames, H height, W width.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance

from dreamactor_signals.draw.canvas import Canvas
from dreamactor_signals.draw.guidance import BODY_AND_HEAD

SKELETON_CHANNELS, SPHERE_CHANNELS = slice(0, 3), slice(3, 6)


def control_maps(track: MotionTrack, size: tuple[int, int], guidance: Guidance = "sphere") -> np.ndarray:
    """Draw a track.

    Args:
        track: T frames, for a frame of `track.frame_size`.
        size: width and height of the maps; the track's whole frame is scaled to it.
        guidance: what shows the body and the head: skeleton and sphere, or what the paper compares them with: skeleton
            and face landmarks, or meshes of both.

    Returns:
        (T, 6, H, W) uint8: body RGB, then head RGB, both on black.

    Raises:
        InputError: the size is not positive, or the data of the mesh is not installed.
    """
    canvas = Canvas.of(track, size)
    width, height = canvas.size
    maps_T6HW = np.zeros((len(track), 6, height, width), np.uint8)
    draw_bodies, draw_heads = BODY_AND_HEAD[guidance]
    draw_bodies(maps_T6HW[:, SKELETON_CHANNELS], track, canvas)
    draw_heads(maps_T6HW[:, SPHERE_CHANNELS], track, canvas)
    return maps_T6HW
