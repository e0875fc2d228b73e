"""A head that goes with its skin and hair: what a tracker says of it, averaged along the picture's own motion.

A tracker reads every frame's head anew, some hundredths too large or too small, too far up or to the side, and
otherwise when it is turned another way. The picture tells to a fraction of a pixel how the face moves. From one frame
to the next, points seen on the head's surface are followed; what the tracker's own step does not explain of how they
went is what it lacks: a shift, a growth and a turn.

Legend: T video frames, H W rows and columns, N points, K = 6 unknowns: shift x y, growth, turn about x y z.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.draw.mesh.triangles import vertex_normals
from dreamactor_signals.flow.agreement import agreed
from dreamactor_signals.flow.path import lacking
from dreamactor_signals.flow.points import follow
from dreamactor_signals.flow.shifts import moved_points
from dreamactor_signals.rotations import rotation_of_vector
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_mesh import head_mesh

# Towards its rim a surface is not that of the average head, and hair slides over the edge: least cosine to the camera.
_LEAST_FACING = 0.2
# Heads are small: so are the windows, and points lie close.
_WINDOW_PX, _SPACING_PX, _ALIKE_PX = 11, 4.0, 1.0
# A head that turns far is not the average one: what is followed on it drifts soon, and is averaged for shorter.
_WIDTH_S = 0.4
# Fewer points tell less of a head than a tracker does.
_FEWEST_ON_HEAD = 20
# What a tracker's step mostly lacks: pixels, logarithm of the size, radians. How far a face is before the centre that
# it turns about is not seen well: a turn and a shift that look alike both stay small.
_USUAL_K = np.array([0.07, 0.07, 0.007, 0.003, 0.003, 0.003])


def head_step(before_HW: np.ndarray, after_HW: np.ndarray, here: Head, there: Head) -> np.ndarray | None:
    """(K,) what the tracked step from a frame to the next lacks: pixels, logarithm of the size, radians in the camera.

    Args:
        before_HW, after_HW: uint8.
        here, there: the head in both, in their pixels.

    Returns:
        None where too few points are seen on the head, or do not agree.
    """
    points_V3, moved_V3 = (head_mesh().shaped(units) for units in _units(here, there))
    normals_V3 = vertex_normals(points_V3, head_mesh().triangles)
    on_HW, values_HW9 = here.surface(before_HW.shape, points_V3, np.concatenate([points_V3, moved_V3, normals_V3], 1))
    facing_HW = -values_HW9[..., 6:] @ here.rotation[2]
    mask_HW = on_HW & (facing_HW > _LEAST_FACING)
    before_N2, after_N2 = follow(before_HW, after_HW, mask_HW, _WINDOW_PX, _SPACING_PX)
    if len(before_N2) < _FEWEST_ON_HEAD:
        return None
    columns_N, rows_N = before_N2.astype(np.int64).T
    points_N3, moved_N3 = np.split(values_HW9[rows_N, columns_N, :6], 2, axis=-1)
    arms_N3 = moved_N3 @ there.rotation.T
    # Values are those of a pixel's centre.
    arms_N3[:, :2] += (before_N2 - here.project(points_N3 @ here.rotation.T)) / here.skull_px
    return agreed(_rows(arms_N3 * there.skull_px), after_N2 - there.project(arms_N3), _USUAL_K, _ALIKE_PX)


def steady_head(track: MotionTrack, steps: Sequence[np.ndarray | None]) -> MotionTrack:
    """The track with a head that goes with its skin and hair. Its radius in metres stays, its distance tells its size.

    Args:
        track: T frames.
        steps: T - 1 of (K,), in pixels of the track; None where nobody knows.
    """
    lacks_TK = lacking(steps, _USUAL_K.shape, track.head_confidence, _WIDTH_S * float(track.fps))
    center_cam_m = moved_points(track.head_center_cam_m, lacks_TK[:, :2], track.focal_px)
    return replace(
        track,
        head_center_cam_m=center_cam_m * np.exp(-lacks_TK[:, 2:3]),
        head_rotation=rotation_of_vector(lacks_TK[:, 3:]) @ track.head_rotation,
    )


def _units(here: Head, there: Head) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Of both; an expression that only one of both knows moves nothing."""
    return (None, None) if here.units is None or there.units is None else (here.units, there.units)


def _rows(arms_N3: np.ndarray) -> np.ndarray:
    """(N, 2, K) pixels by which each unknown moves points (N, 3) that are so many pixels from the skull's centre."""
    x_N, y_N, z_N = arms_N3.T
    one_N, none_N = np.ones_like(x_N), np.zeros_like(x_N)
    across_NK = np.stack([one_N, none_N, x_N, none_N, z_N, -y_N], axis=-1)
    down_NK = np.stack([none_N, one_N, y_N, -z_N, none_N, x_N], axis=-1)
    return np.stack([across_NK, down_NK], axis=1)
