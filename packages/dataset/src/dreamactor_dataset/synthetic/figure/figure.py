"""A figure: one identity's meshes at rest with all that posing, drawing and the truth need of them.

Legend: V base vertices, N drawn vertices, M triangles, B bones, U face units.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from dreamactor_signals.body_models.makehuman.joints import RestJoints, rest_joints
from dreamactor_signals.body_models.makehuman.phenotype import rest_vertices_m
from dreamactor_signals.body_models.makehuman.rig import load_rig
from dreamactor_signals.body_models.makehuman.skull import face_vertices, fit_skull
from dreamactor_signals.body_models.makehuman.targets import face_units
from scipy.sparse import csr_matrix

from dreamactor_dataset.synthetic.figure.clothes.garments import bare_skin_dm, garments
from dreamactor_dataset.synthetic.figure.clothes.hat import tucked
from dreamactor_dataset.synthetic.figure.glasses import glasses_parts
from dreamactor_dataset.synthetic.figure.hair import hair_parts
from dreamactor_dataset.synthetic.figure.identity import Identity
from dreamactor_dataset.synthetic.figure.paint import inside_mouth, paint_head
from dreamactor_dataset.synthetic.figure.parts import Material, Part, join, trimmed, whole
from dreamactor_dataset.synthetic.render.fabric import folds
from dreamactor_dataset.synthetic.render.occlusion import bake_openness
from dreamactor_dataset.synthetic.render.raster import vertex_normals

_HAIR_OPENNESS = 0.55
_LASHES = tuple(f"helper-{side}-eyelashes-{row}" for side in "lr" for row in (1, 2))


@dataclass(frozen=True)
class Figure:
    """A person at rest, body axes, metres.

    Attributes:
        identity: who it is.
        rest_m: (N, 3) float64.
        unit_offsets: (3N, U) what each face unit adds.
        weights: (N, B) float32.
        bone_heads_m: (B, 3).
        triangles: (M, 3) int32, counter-clockwise from outside.
        material: (M,) int32 `Material`.
        two_sided: (M,) bool.
        keep: (N,) float32, see `Part.keep_dm`.
        place: (N, 3) float32: template decimetres; on an eye, directions from its centre.
        uv: (M, 3, 2) float32.
        openness: (N,) float32 in [0, 1], how much of the sky a vertex sees.
        folds: (N, 2) float32, see `fabric.folds`.
        head_paint: (H, W, 3) float32, see `paint`.
        joints: the project's joints at rest.
        skull_center_m, skull_radius_m: the head sphere at rest.
        face: vertices (rows of `rest_m`) that span the face box.
        eyes: for left and right, a vertex in front of the pupil.
    """

    identity: Identity
    rest_m: np.ndarray
    unit_offsets: csr_matrix
    weights: csr_matrix
    bone_heads_m: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    two_sided: np.ndarray
    keep: np.ndarray
    place: np.ndarray
    uv: np.ndarray
    openness: np.ndarray
    folds: np.ndarray
    head_paint: np.ndarray
    joints: RestJoints
    skull_center_m: np.ndarray
    skull_radius_m: float
    face: np.ndarray
    eyes: tuple[int, int]


def build_figure(identity: Identity) -> Figure:
    """Make a person: about a second.

    Raises:
        InputError: the wheels that carry the meshes are not installed.
    """
    base_m = rest_vertices_m(identity.phenotype)
    joined, two_sided = join([trimmed(part) for part in _parts(identity)])
    rest_m = _rest(joined, base_m)
    skull_center_m, skull_radius_m = fit_skull(base_m)
    place = _places(joined).astype(np.float32)
    rig = load_rig()
    rows = _rows_of(joined.blend)
    eye_rows = tuple(_pupil(joined, letter) for letter in "LR")
    return Figure(
        identity=identity,
        rest_m=rest_m,
        unit_offsets=_unit_offsets(joined.blend),
        weights=csr_matrix(joined.blend @ rig.weights, dtype=np.float32),
        bone_heads_m=rig.heads @ base_m,
        triangles=joined.triangles,
        material=joined.material,
        two_sided=two_sided,
        keep=joined.keep_dm.astype(np.float32),
        place=place,
        uv=joined.uv.astype(np.float32),
        openness=_openness(joined, rest_m),
        folds=folds(place),
        head_paint=paint_head(identity),
        joints=rest_joints(base_m),
        skull_center_m=skull_center_m,
        skull_radius_m=skull_radius_m,
        face=np.array([rows[vertex] for vertex in face_vertices()]),
        eyes=(eye_rows[0], eye_rows[1]),
    )


def _parts(identity: Identity) -> list[Part]:
    """Body first: its rows come first in the join."""
    return [
        _body(identity),
        whole(("helper-l-eye",), Material.EYE),
        whole(("helper-r-eye",), Material.EYE),
        whole(_LASHES, Material.LASH, two_sided=True),
        whole(("helper-upper-teeth", "helper-lower-teeth"), Material.TEETH, two_sided=True),
        whole(("helper-tongue",), Material.MOUTH),
        *garments(identity.clothes, identity.hair.thickness_m),
        *_hair(identity),
        *(glasses_parts(identity.glasses) if identity.glasses is not None else []),
    ]


def _hair(identity: Identity) -> list[Part]:
    covered = identity.clothes.hat is not None
    parts = hair_parts(identity.hair, identity.seed, covered=covered)
    return [tucked(part) for part in parts] if covered else parts


def _body(identity: Identity) -> Part:
    body = whole(("body",), Material.SKIN)
    material = np.where(inside_mouth(body.uv), Material.MOUTH, Material.SKIN).astype(np.int32)
    return Part(
        blend=body.blend,
        triangles=body.triangles,
        material=material,
        offset_m=body.offset_m,
        shift_m=body.shift_m,
        keep_dm=bare_skin_dm(identity.clothes, body.blend),
        uv=body.uv,
        two_sided=False,
    )


def _rest(part: Part, base_m: np.ndarray) -> np.ndarray:
    shifted = part.blend @ base_m + part.shift_m
    return shifted + part.offset_m[:, None] * vertex_normals(shifted, part.triangles)


def _openness(part: Part, rest_m: np.ndarray) -> np.ndarray:
    """(N,) baked; light finds its way between hairs."""
    openness = bake_openness(rest_m, part.triangles, part.keep_dm)
    hair = np.unique(part.triangles[part.material == Material.HAIR])
    openness[hair] = np.maximum(openness[hair], _HAIR_OPENNESS)
    return openness


def _rows_of(blend: csr_matrix) -> dict[int, int]:
    """Base vertex -> first row that is that vertex alone."""
    single = np.flatnonzero(np.diff(blend.indptr) == 1)
    vertices = blend.indices[blend.indptr[single]]
    return {int(vertex): int(row) for vertex, row in zip(vertices[::-1], single[::-1], strict=True)}


def _unit_offsets(blend: csr_matrix) -> csr_matrix:
    """(3N, U) from the targets of the face units."""
    columns = []
    for target in face_units():
        offsets = np.zeros((blend.shape[1], 3))
        if target is not None:
            target.add_to(offsets, 1.0)
        columns.append(csr_matrix((blend @ offsets).reshape(-1, 1)))
    from scipy.sparse import hstack

    return csr_matrix(hstack(columns))


def _places(part: Part) -> np.ndarray:
    """Template positions; on an eye, directions from its centre with length 1 on the eyeball."""
    places = part.template_dm
    for letter in "LR":
        rows = _eye_rows(part, letter)
        center = _eye_center_dm(letter)
        places[rows] -= center
        places[rows] /= np.linalg.norm(places[rows], axis=1).mean()
    return places


def _eye_center_dm(letter: str) -> np.ndarray:
    vertices = np.unique(load_base_mesh().quads[f"helper-{letter.lower()}-eye"])
    points_dm = load_base_mesh().template_dm[vertices]
    return (points_dm.min(axis=0) + points_dm.max(axis=0)) / 2


def _eye_rows(part: Part, letter: str) -> np.ndarray:
    eye = np.unique(part.triangles[part.material == Material.EYE])
    x = part.template_dm[eye, 0]
    return eye[x > 0] if letter == "L" else eye[x < 0]


def _pupil(part: Part, letter: str) -> int:
    rows = _eye_rows(part, letter)
    return int(rows[np.argmax(part.template_dm[rows, 2])])
