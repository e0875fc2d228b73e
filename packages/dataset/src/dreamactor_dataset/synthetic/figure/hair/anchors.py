"""Places on the head by direction: what hair hangs on, whoever's head it is.

Legend: N places, V base vertices.
"""

from functools import cache

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

# Directions start here, inside the head.
_MIDDLE_DM = np.array((0.0, 7.45, 0.40))
_ANCHORS = 6


def anchored(directions: np.ndarray) -> csr_matrix:
    """(N, V) each direction (N, 3) from the head's middle as a blend of the head's vertices that lie there."""
    tree, head, count = _skull()
    distance, nearest = tree.query(directions / np.linalg.norm(directions, axis=1, keepdims=True), k=_ANCHORS)
    weights = 1 / (distance**2 + 1e-3)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(directions)), _ANCHORS)
    return csr_matrix((weights.ravel(), (rows, head[nearest].ravel())), shape=(len(directions), count))


def direction(polar: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """(..., 3) unit vectors: polar angle from the crown, azimuth from the face to the person's left, radians."""
    return np.stack([np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth)], axis=-1)


@cache
def _skull() -> tuple[cKDTree, np.ndarray, int]:
    template_dm = load_base_mesh().template_dm
    body = np.unique(load_base_mesh().quads["body"])
    head = body[_is_skull(template_dm[body])]
    directions = template_dm[head] - _MIDDLE_DM
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return cKDTree(directions), head, len(template_dm)


def _is_skull(points_dm: np.ndarray) -> np.ndarray:
    """Outer head without ears, nose and what lies inside."""
    x, y, z = np.abs(points_dm[:, 0]), points_dm[:, 1], points_dm[:, 2]
    ear = (x > 0.74) & (y < 7.4) & (z > 0.1) & (z < 0.9)
    outer = np.linalg.norm((points_dm - _MIDDLE_DM) / (0.75, 1.1, 1.0), axis=1) > 0.85
    return (y > 6.9) & ~ear & outer & (z < 1.5)
