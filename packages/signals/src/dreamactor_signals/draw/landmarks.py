"""3-D face landmarks in place of the head sphere: the explicit alternative that the paper compares with (ablation).

The average face, as large as the head, turned as the head, moved by the expression's units; drawn as lines along brows,
eyes, nose, lips and jaw, far to near.

Legend: T video frames, V vertices, S segments, U face units, H height, W width.
"""

from itertools import pairwise

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.average_face import average_face
from dreamactor_signals.draw.canvas import NEAR_M, Canvas
from dreamactor_signals.draw.capsules import paint_capsule_frames
from dreamactor_signals.visibility import SEEN

# fmt: off
_LINES: dict[str, tuple[tuple[int, ...], tuple[float, float, float]]] = {
    "jaw": ((10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
             149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10), (255.0, 255.0, 255.0)),
    "left_brow": ((276, 283, 282, 295, 285), (255.0, 160.0, 0.0)),
    "right_brow": ((46, 53, 52, 65, 55), (160.0, 255.0, 0.0)),
    "left_eye": ((263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 263),
                 (0.0, 255.0, 120.0)),
    "right_eye": ((33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33),
                  (0.0, 160.0, 255.0)),
    "nose": ((168, 6, 197, 195, 5, 4, 1), (255.0, 0.0, 255.0)),
    "nostrils": ((98, 97, 2, 326, 327), (160.0, 0.0, 255.0)),
    "outer_lips": ((61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61),
                   (255.0, 0.0, 0.0)),
    "inner_lips": ((78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78),
                   (255.0, 80.0, 120.0)),
}
# fmt: on
_SEGMENTS = np.array([pair for line, _ in _LINES.values() for pair in pairwise(line)])
_COLOURS = np.array([colour for line, colour in _LINES.values() for _ in line[1:]])
# Half width as a share of the head's radius in the picture, and the least that still shows.
_HALF_WIDTH, _LEAST_PX = 1 / 60, 0.5


def draw_landmarks(planes_T3HW: np.ndarray, track: MotionTrack, canvas: Canvas, *, opacity: float = 1.0) -> None:
    """Draw every frame's face lines; nothing where the head is not seen, behind the camera, or turned away.

    Args:
        planes_T3HW: (T, 3, H, W) uint8 of the canvas's size, changed in place.
        track: T frames; without face units the face is drawn at rest.
        canvas: from `Canvas.of`.
        opacity: below 1, the pictures show through.
    """
    points_cam_m = landmarks_cam_m(track)
    depth_m = points_cam_m[..., 2].min(axis=1)
    # Turned away: the head's z, into the head, points at the camera.
    toward = (track.head_rotation[:, :, 2] * track.head_center_cam_m).sum(axis=1) > 0
    drawn_T = (track.head_confidence >= SEEN) & (depth_m > NEAR_M) & toward
    points_px = canvas.project(track, points_cam_m)
    ends_TS4 = points_px[:, _SEGMENTS].reshape(len(track), len(_SEGMENTS), 4)
    order_TS = np.argsort(-points_cam_m[:, _SEGMENTS, 2].sum(axis=2), axis=1, kind="stable")
    colours_TS3 = _COLOURS * track.head_confidence[:, None, None].astype(np.float64)
    painted_TS = np.repeat(drawn_T[:, None], len(_SEGMENTS), axis=1)
    for frame in np.flatnonzero(drawn_T):
        radius_px = track.focal_px * track.head_radius_m[frame] / track.head_center_cam_m[frame, 2]
        half_width_px = max(float(radius_px * np.sqrt(canvas.scale.prod())) * _HALF_WIDTH, _LEAST_PX)
        one = slice(frame, frame + 1)
        widths_S = np.full(len(_SEGMENTS), half_width_px)
        paint_capsule_frames(
            planes_T3HW[one], order_TS[one], painted_TS[one], ends_TS4[one], colours_TS3[one], widths_S, opacity
        )


def landmarks_cam_m(track: MotionTrack) -> np.ndarray:
    """(T, V, 3) the average face on the track's head, moved by its units."""
    face = average_face()
    face_m = np.repeat(face.points_head_m[None], len(track), axis=0)
    if track.face_units is not None:
        face_m = face_m + (track.face_units @ face.unit_offsets_m).reshape(face_m.shape)
    size = track.head_radius_m / face.skull_radius_m
    turned_m = np.einsum("tij,tvj->tvi", track.head_rotation.astype(np.float64), face_m) * size[:, None, None]
    return np.asarray(track.head_center_cam_m[:, None] + turned_m)
