"""The surface of a head: the average face, closed by its skull, and how face units move it.

Lengths are in radii of the skull, from its centre, in head coordinates (x right, y down, z away, for a head that faces
the camera).

Legend: V vertices, M triangles, U face units, S = 2 eyes.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from scipy.spatial import ConvexHull

from dreamactor_signals.average_face import average_face
from dreamactor_signals.rotations import unit
from dreamactor_signals.warp.eyes import RIMS

# Hair stands off the skull.
SKULL_RADIUS = 1.05
# Points of the skull, evenly over the sphere, no nearer to the face than this angle.
_SKULL_POINTS, _GAP_RAD = 900, 0.22
# The rim of the inner lips among the face's points.
_INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_UPPER_LIP, _LOWER_LIP = 13, 14


HALF_A_FACE = 0.5
"""Between vertices of face and skull: from this share of `HeadMesh.is_face` on, there is face."""


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """A closed surface. What is seen through lips and lids has vertices of its own, upon their rims.

    Attributes:
        points: (V, 3) of a face at rest.
        unit_moves: (U, V, 3) what each face unit adds.
        triangles: (M, 3) int64, as `draw.mesh.triangles` wants them: clockwise on the screen when they face the viewer.
        is_face: (V,) 1 on the face, 0 on the skull.
        is_mouth: (V,) 1 on the mouth's inside, else 0.
        eyes: (S, V) 1 on the person's right eye, on the left one, else 0.
        twins: (V,) int64 the number of each vertex; of those upon a rim, that of the rim's.
    """

    points: np.ndarray
    unit_moves: np.ndarray
    triangles: np.ndarray
    is_face: np.ndarray
    is_mouth: np.ndarray
    eyes: np.ndarray
    twins: np.ndarray

    def shaped(self, units: np.ndarray | None, length: float = 1.0) -> np.ndarray:
        """(V, 3) under (U,) face units; at rest without.

        Args:
            length: of the face from the height of the skull's centre down, in that of the average one.
        """
        points = self.points if units is None else self.points + np.tensordot(units, self.unit_moves, axes=1)
        below_V = points[:, 1] > 0
        return points * np.where(below_V[:, None], (1.0, length, 1.0), 1.0)


def mouth_opening(points: np.ndarray) -> float:
    """How far the inner lips of (V, 3) points stand apart."""
    return float(np.linalg.norm(points[_LOWER_LIP] - points[_UPPER_LIP]))


@cache
def head_mesh() -> HeadMesh:
    """That of the average head."""
    face = average_face()
    face_F3 = face.points_head_m / face.skull_radius_m
    moves_UF3 = (face.unit_offsets_m / face.skull_radius_m).reshape(len(ARKIT_UNITS), -1, 3)
    skull_S3 = _skull(face_F3)
    triangles = _triangles(face_F3 + moves_UF3[ARKIT_UNITS.index("jawOpen")], skull_S3)
    points = np.concatenate([face_F3, skull_S3])
    twins = np.arange(len(points))
    for rim in (_INNER_LIPS, *RIMS):
        inside = np.isin(triangles, rim).all(axis=1)
        triangles[inside] = len(twins) + np.argmax(triangles[inside][..., None] == rim, axis=-1)
        twins = np.concatenate([twins, rim])
    moves_UV3 = np.concatenate([moves_UF3, np.zeros((len(ARKIT_UNITS), len(skull_S3), 3))], axis=1)
    counts = [len(face_F3), len(skull_S3), *map(len, (_INNER_LIPS, *RIMS))]
    return HeadMesh(
        points=points[twins],
        unit_moves=moves_UV3[:, twins],
        triangles=triangles,
        is_face=np.repeat([1.0, 0.0, 1.0, 1.0, 1.0], counts),
        is_mouth=np.repeat([0.0, 0.0, 1.0, 0.0, 0.0], counts),
        eyes=np.repeat([[0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]], counts, axis=1),
        twins=twins,
    )


def _skull(face_F3: np.ndarray) -> np.ndarray:
    """(S, 3) points of the sphere that the face leaves free, along a spiral from pole to pole."""
    steps = np.arange(_SKULL_POINTS) + 0.5
    polar = np.arccos(1 - 2 * steps / _SKULL_POINTS)
    turns = np.pi * (1 + 5**0.5) * steps
    sphere_S3 = np.stack([np.cos(turns) * np.sin(polar), np.cos(polar), np.sin(turns) * np.sin(polar)], axis=-1)
    apart_S = np.arccos((sphere_S3 @ unit(face_F3).T).clip(-1, 1)).min(axis=1)
    return np.asarray(SKULL_RADIUS * sphere_S3[apart_S > _GAP_RAD])


def _triangles(open_face_F3: np.ndarray, skull_S3: np.ndarray) -> np.ndarray:
    """(M, 3) of all points as they are seen from the skull's centre, the mouth open: lips share no triangle then."""
    directions = unit(np.concatenate([open_face_F3, skull_S3]))
    triangles = ConvexHull(directions).simplices.astype(np.int64)
    a, b, c = (directions[triangles[:, corner]] for corner in range(3))
    inward = (np.cross(b - a, c - a) * (a + b + c)).sum(axis=-1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return np.ascontiguousarray(triangles)
