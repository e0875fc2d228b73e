"""Parts of a figure: meshes over blends of base vertices, so that shape, weights and expressions carry over to them.

Legend: V base vertices, N vertices of a part, M triangles.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from scipy.sparse import csr_matrix, vstack


class Material(IntEnum):
    """What a triangle is made of; the shader's table is in this order."""

    SKIN = 0
    EYE = 1
    LASH = 2
    TEETH = 3
    MOUTH = 4
    HAIR = 5
    TOP = 6
    JACKET = 7
    BOTTOM = 8
    SHOES = 9
    HAT = 10
    FRAME = 11


@dataclass(frozen=True)
class Part:
    """A mesh in terms of the base mesh.

    Attributes:
        blend: (N, V) rows sum to 1: each vertex as a blend of base vertices.
        triangles: (M, 3) int32, counter-clockwise from outside.
        material: (M,) int32 `Material`.
        offset_m: (N,) push along the rest normal.
        shift_m: (N, 3) moved by this at rest, before the push.
        keep_dm: (N,) the surface is cut away where this, interpolated, is negative.
        uv: (M, 3, 2) texture coordinates in [0, 1], v up; zeros where nothing is painted.
        two_sided: drawn from behind too.
    """

    blend: csr_matrix
    triangles: np.ndarray
    material: np.ndarray
    offset_m: np.ndarray
    shift_m: np.ndarray
    keep_dm: np.ndarray
    uv: np.ndarray
    two_sided: bool

    @property
    def template_dm(self) -> np.ndarray:
        """(N, 3) the vertices on the template, where regions are told apart."""
        return self.blend @ load_base_mesh().template_dm


def select(groups: tuple[str, ...]) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Some groups of the base mesh as blend (N, V), quads (Q, 4) into its rows, and texture coordinates (Q, 4, 2)."""
    mesh = load_base_mesh()
    quads = np.concatenate([mesh.quads[group] for group in groups])
    uv = mesh.texture_uv[np.concatenate([mesh.texture_quads[group] for group in groups])]
    used, compact = np.unique(quads, return_inverse=True)
    blend = csr_matrix((np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), len(mesh.template_dm)))
    return blend, compact.reshape(quads.shape), uv


def triangulate(quads: np.ndarray) -> np.ndarray:
    """(Q, 4, ...) corners to (2Q, 3, ...) triangles, the two halves of a quad one after the other."""
    halves = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1)
    return halves.reshape(-1, 3, *quads.shape[2:])


def smoothed(blend: csr_matrix, quads: np.ndarray, rounds: int) -> csr_matrix:
    """A blend whose vertices moved towards the mean of their neighbours, `rounds` times; open borders stay."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    pairs = np.sort(edges, axis=1)
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    border = np.unique(unique[counts == 1])
    count = blend.shape[0]
    both = np.concatenate([unique, unique[:, ::-1]])
    neighbours = csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    share = np.full(count, 0.5)
    share[border] = 0.0
    mean = neighbours.multiply(1 / np.maximum(neighbours.sum(axis=1), 1))
    step = csr_matrix(mean.multiply(share[:, None])) + csr_matrix((1 - share, (range(count), range(count))))
    for _ in range(rounds):
        blend = step @ blend
    return csr_matrix(blend)


def refined(blend: csr_matrix, quads: np.ndarray) -> tuple[csr_matrix, np.ndarray]:
    """Every quad as four, rounder: middles are added, then inner vertices move towards their neighbours once."""
    count = blend.shape[0]
    pairs = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1), axis=-1)
    edges, middle = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
    middle = count + middle.reshape(-1, 4)
    center = count + len(edges) + np.arange(len(quads))
    finer = vstack([blend, _means(blend, edges), _means(blend, quads)])
    corners = [np.stack([quads[:, i], middle[:, i], center, middle[:, i - 1]], axis=1) for i in range(4)]
    # Corner first, so that every small quad winds as the large one.
    fine_quads = np.concatenate(corners)
    return smoothed(csr_matrix(finer), fine_quads, 1), fine_quads


def _means(blend: csr_matrix, groups: np.ndarray) -> csr_matrix:
    """The mean of each group (G, K) of rows."""
    rows = np.repeat(np.arange(len(groups)), groups.shape[1])
    share = np.full(groups.size, 1 / groups.shape[1])
    return csr_matrix((share, (rows, groups.ravel())), shape=(len(groups), blend.shape[0])) @ blend


def whole(groups: tuple[str, ...], material: Material, *, two_sided: bool = False) -> Part:
    """Groups of the base mesh as they are."""
    blend, quads, uv = select(groups)
    triangles = triangulate(quads)
    return Part(
        blend=blend,
        triangles=triangles.astype(np.int32),
        material=np.full(len(triangles), material, np.int32),
        offset_m=np.zeros(blend.shape[0]),
        shift_m=np.zeros((blend.shape[0], 3)),
        keep_dm=np.ones(blend.shape[0]),
        uv=triangulate(uv),
        two_sided=two_sided,
    )


def trimmed(part: Part) -> Part:
    """Without what is wholly cut away: most of a garment's mesh, and the skin under it."""
    kept = (part.keep_dm[part.triangles] >= 0).any(axis=1)
    used, compact = np.unique(part.triangles[kept], return_inverse=True)
    return Part(
        blend=csr_matrix(part.blend[used]),
        triangles=compact.reshape(-1, 3).astype(np.int32),
        material=part.material[kept],
        offset_m=part.offset_m[used],
        shift_m=part.shift_m[used],
        keep_dm=part.keep_dm[used],
        uv=part.uv[kept],
        two_sided=part.two_sided,
    )


def join(parts: list[Part]) -> tuple[Part, np.ndarray]:
    """One part of all, and (M,) which triangles are two-sided."""
    starts = np.cumsum([0] + [part.blend.shape[0] for part in parts[:-1]])
    joined = Part(
        blend=csr_matrix(vstack([part.blend for part in parts])),
        triangles=np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=True)]).astype(
            np.int32
        ),
        material=np.concatenate([part.material for part in parts]),
        offset_m=np.concatenate([part.offset_m for part in parts]),
        shift_m=np.concatenate([part.shift_m for part in parts]),
        keep_dm=np.concatenate([part.keep_dm for part in parts]),
        uv=np.concatenate([part.uv for part in parts]),
        two_sided=False,
    )
    return joined, np.concatenate([np.full(len(part.triangles), part.two_sided) for part in parts])


def worn(
    blend: csr_matrix, triangles: np.ndarray, material: np.ndarray, offset_m: np.ndarray, keep_dm: np.ndarray
) -> Part:
    """An unpainted part that is pushed off the rest surface and cut."""
    return Part(
        blend=blend,
        triangles=triangles,
        material=material,
        offset_m=offset_m,
        shift_m=np.zeros((len(offset_m), 3)),
        keep_dm=keep_dm,
        uv=np.zeros((len(triangles), 3, 2)),
        two_sided=True,
    )
