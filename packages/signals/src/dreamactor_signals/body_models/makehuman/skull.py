"""The head sphere: fitted once to the cranium of a resting head, then carried rigidly by the head bone.

Legend: V base vertices.
"""

from functools import cache

import numpy as np

from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from dreamactor_signals.body_models.makehuman.rig import load_rig
from dreamactor_signals.body_models.sphere import nearest_sphere


def fit_skull(base_m: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius in metres of the sphere nearest to the cranium of a body's vertices (V, 3)."""
    return nearest_sphere(base_m[_cranium()])


@cache
def _cranium() -> np.ndarray:
    """Vertices of the head above the brows."""
    mesh, rig = load_base_mesh(), load_rig()
    body = np.unique(mesh.quads["body"])
    on_head = rig.weights[body, rig.index("head")].toarray().ravel() > 0.5
    return body[on_head & (mesh.template_dm[body, 1] > 7.55)]


@cache
def face_vertices() -> np.ndarray:
    """Vertices of the face: brows to chin, cheek to cheek; what a face box holds."""
    mesh = load_base_mesh()
    body = np.unique(mesh.quads["body"])
    x, y, z = mesh.template_dm[body].T
    throat = (y < 6.4) & (z < 1.1)
    return body[(y > 6.12) & (y < 7.85) & (z > 0.75) & (np.abs(x) < 0.78) & ~throat]
