"""The average person's mesh on a track: the body in one map, the head in the other, coloured by camera-space normals.

Red, green and blue are the surface normal's x, y and z in camera space, from -1 to 1 onto 0 to 255, times the
confidence of what carries the skin. Body and head have a depth buffer each: maps hide nothing from one another.

Legend: T video frames, B bones, V vertices, M triangles, U face units, H height, W width.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from scipy.sparse import csr_matrix

from dreamactor_signals.body_models.anny import AnnyBody
from dreamactor_signals.body_models.bones import BONE_COUNT, bone_index
from dreamactor_signals.draw.canvas import NEAR_M, Canvas
from dreamactor_signals.draw.mesh.posing import PosedBones, pose_bones
from dreamactor_signals.draw.mesh.triangles import paint_triangles, vertex_normals
from dreamactor_signals.visibility import SEEN


@dataclass(frozen=True)
class _Skin:
    """A part of the average body in the T pose.

    Attributes:
        points_m: (V, 3). weights: (V, B) of the bones that carry it.
        belonging: (V,) positive on the part, negative beyond it: the part ends where it crosses zero.
        triangles: (M, 3) int64, counter-clockwise seen from outside.
        unit_moves_m: (U, V, 3) what each face unit adds.
    """

    points_m: np.ndarray
    weights: csr_matrix
    belonging: np.ndarray
    triangles: np.ndarray
    unit_moves_m: np.ndarray


def draw_body_meshes(planes_T3HW: np.ndarray, track: MotionTrack, canvas: Canvas, *, opacity: float = 1.0) -> None:
    """Draw every frame's body up to the neck; not what is carried by bones that are not seen or behind the camera.

    Args:
        planes_T3HW: (T, 3, H, W) uint8 of the canvas's size, changed in place.
        track: T frames.
        canvas: from `Canvas.of`.
        opacity: below 1, the pictures show through.

    Raises:
        InputError: the data of the body is not installed.
    """
    _draw(_skins()[0], planes_T3HW, track, canvas, opacity)


def draw_head_meshes(planes_T3HW: np.ndarray, track: MotionTrack, canvas: Canvas, *, opacity: float = 1.0) -> None:
    """Draw every frame's head with its neck, moved by its face units; see `draw_body_meshes`."""
    _draw(_skins()[1], planes_T3HW, track, canvas, opacity)


def _draw(skin: _Skin, planes_T3HW: np.ndarray, track: MotionTrack, canvas: Canvas, opacity: float) -> None:
    posed = pose_bones(track, AnnyBody().articulation)
    for frame in range(len(track)):
        confidence_B = posed.confidence[frame]
        seen_B = (confidence_B >= SEEN).astype(np.float64)
        carried_V = skin.weights @ seen_B
        keep_V = np.minimum(carried_V - 0.5, skin.belonging)
        if (keep_V < 0).all():
            continue
        points_cam_m = _posed_points(skin, posed, track, frame)
        gain_V = skin.weights @ (confidence_B * seen_B) / np.maximum(carried_V, 1e-6)
        colours = 127.5 * (vertex_normals(points_cam_m, skin.triangles) + 1) * gain_V[:, None]
        points_px = canvas.project(track, points_cam_m)
        triangles = skin.triangles[(points_cam_m[skin.triangles, 2] > NEAR_M).all(axis=1)]
        paint_triangles(planes_T3HW[frame], points_px, points_cam_m[:, 2].copy(), colours, keep_V, triangles, opacity)


def _posed_points(skin: _Skin, posed: PosedBones, track: MotionTrack, frame: int) -> np.ndarray:
    """(V, 3) camera-space vertices of one frame, blended linearly between bones."""
    points_m = skin.points_m
    if track.face_units is not None and len(skin.unit_moves_m):
        points_m = points_m + np.tensordot(track.face_units[frame], skin.unit_moves_m, axes=1)
    maps = np.concatenate([posed.linear[frame].reshape(BONE_COUNT, 9), posed.offset_cam_m[frame]], axis=1)
    blended = skin.weights @ maps
    return np.asarray(np.einsum("vij,vj->vi", blended[:, :9].reshape(-1, 3, 3), points_m) + blended[:, 9:])


@cache
def _skins() -> tuple[_Skin, _Skin]:
    """The body up to the neck, and the head with it."""
    body = AnnyBody()
    at_rest = np.tile(np.eye(3), (1, BONE_COUNT, 1, 1))
    points_m = body.vertices_m(np.zeros(body.articulation.shape_count), at_rest)[0].astype(np.float64)
    on_head = np.asarray(body.skin_weights[:, [bone_index("head"), bone_index("neck")]].sum(axis=1)).ravel() - 0.5
    moves_m = body.face_unit_moves_m
    return (
        _part(points_m, body.skin_weights, -on_head, body.faces, moves_m[:0]),
        _part(points_m, body.skin_weights, on_head, body.faces, moves_m),
    )


def _part(
    points_m: np.ndarray, weights: csr_matrix, belonging: np.ndarray, faces: np.ndarray, moves_m: np.ndarray
) -> _Skin:
    """The vertices of triangles that belong to a part, if only in a corner."""
    faces = faces[(belonging[faces] >= 0).any(axis=1)]
    used, corners = np.unique(faces, return_inverse=True)
    return _Skin(
        points_m[used], csr_matrix(weights[used]), belonging[used], corners.reshape(faces.shape), moves_m[:, used]
    )
