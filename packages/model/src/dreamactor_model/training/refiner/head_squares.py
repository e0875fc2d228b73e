"""Heads, cut out of frames and enlarged: a loss that looks at whole frames hardly sees the faces in them.

Legend: T video frames, N pictures, C channels, H W rows and columns, S side of a square.
"""

import numpy as np
import torch
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.visibility import SEEN
from torch import Tensor
from torch.nn import functional as F

_SIDE_PX = 96
# Half a square's side, and how far below the skull's centre it lies, in radii of the skull: from crown to chin.
_HALF, _BELOW = 1.5, 0.3


def head_squares_px(track: MotionTrack) -> np.ndarray:
    """(T, 3) float32 of the upright square around each frame's head: its centre, right and down, and half its side.

    All zero where no head is seen, or its centre lies outside of the picture.
    """
    centers_px = track.project(track.head_center_cam_m)
    radius_px = track.focal_px * track.head_radius_m / np.maximum(track.head_center_cam_m[:, 2], 1e-3)
    inside = ((centers_px >= 0) & (centers_px < track.frame_size)).all(axis=1)
    squares = np.column_stack([centers_px[:, 0], centers_px[:, 1] + _BELOW * radius_px, _HALF * radius_px])
    return np.where((inside & (track.head_confidence >= SEEN))[:, None], squares, 0).astype(np.float32)


def cut_heads(frames_NCHW: Tensor, squares_N3: Tensor) -> Tensor:
    """Squares of `head_squares_px` out of frames, (N, C, S, S); black where there is none.

    What lies beyond a frame continues its border.
    """
    count, channels, height, width = frames_NCHW.shape
    x_N, y_N, half_N = squares_N3.unbind(dim=1)
    zero_N = torch.zeros_like(half_N)
    # affine_grid counts from -1 at one border to 1 at the other.
    across_N3 = torch.stack([2 * half_N / width, zero_N, 2 * x_N / width - 1], dim=1)
    down_N3 = torch.stack([zero_N, 2 * half_N / height, 2 * y_N / height - 1], dim=1)
    size = [count, channels, _SIDE_PX, _SIDE_PX]
    grid = F.affine_grid(torch.stack([across_N3, down_N3], dim=1), size, align_corners=False)
    heads_NCSS = F.grid_sample(frames_NCHW, grid, padding_mode="border", align_corners=False)
    return heads_NCSS * (half_N > 0)[:, None, None, None]
