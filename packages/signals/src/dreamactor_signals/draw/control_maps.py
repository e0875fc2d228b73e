"""The pose encoder's input: skeleton and head sphere, concatenated in the channels (paper 3.2).

Legend: T video frames, H height, W width.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import Guidance

from dreamactor_signals.draw.canvas import Canvas
from dreamactor_signals.draw.landmarks import draw_landmarks
from dreamactor_signals.draw.skeleton import draw_skeletons
from dreamactor_signals.draw.sphere import draw_spheres

SKELETON_CHANNELS, SPHERE_CHANNELS = slice(0, 3), slice(3, 6)


def control_maps(track: MotionTrack, size: tuple[int, int], guidance: Guidance = "sphere") -> np.ndarray:
    """Draw a track.

    Args:
        track: T frames, for a frame of `track.frame_size`.
        size: width and height of the maps; the track's whole frame is scaled to it.
        guidance: what shows the head: the sphere, or face landmarks (the paper's ablation).

    Returns:
        (T, 6, H, W) uint8: skeleton RGB, then head RGB, both on black.

    Raises:
        InputError: the size is not positive.
    """
    canvas = Canvas.of(track, size)
    width, height = canvas.size
    maps_T6HW = np.zeros((len(track), 6, height, width), np.uint8)
    draw_skeletons(maps_T6HW[:, SKELETON_CHANNELS], track, canvas)
    draw_heads = draw_spheres if guidance == "sphere" else draw_landmarks
    draw_heads(maps_T6HW[:, SPHERE_CHANNELS], track, canvas)
    return maps_T6HW
