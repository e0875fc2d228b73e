"""How open each point of a resting figure lies to the sky: baked once a person, it darkens folds, sockets and mouths.

Legend: N vertices, M triangles.
"""

import numpy as np

from dreamactor_dataset.synthetic.render.raster import rasterize, vertex_normals

_DIRECTIONS = 40
_MAP_SIZE = 256
_BIAS_M = 0.012


def bake_openness(points_m: np.ndarray, triangles: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """(N,) float32 in [0, 1]: the share of light from all around that reaches each vertex, by its slant."""
    normals = vertex_normals(points_m, triangles)
    reached, total = np.zeros(len(points_m)), np.zeros(len(points_m))
    two_sided = np.ones(len(triangles), bool)
    for direction in _sphere(_DIRECTIONS):
        slant = np.clip(normals @ direction, 0, 1)
        reached += slant * _lit(points_m, triangles, keep.astype(np.float32), two_sided, direction)
        total += slant
    return np.clip(reached / np.maximum(total, 1e-6), 0, 1).astype(np.float32)


def _sphere(count: int) -> np.ndarray:
    """(count, 3) directions spread evenly (golden angle)."""
    place = (np.arange(count) + 0.5) / count
    height, turn = 1 - 2 * place, np.pi * (3 - np.sqrt(5)) * np.arange(count)
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)


def _lit(
    points_m: np.ndarray, triangles: np.ndarray, keep: np.ndarray, two_sided: np.ndarray, direction: np.ndarray
) -> np.ndarray:
    """(N,) 1 where nothing stands between a vertex and a far light."""
    side = np.cross(direction, (0.0, 0.0, 1.0) if abs(direction[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    plane = points_m @ np.stack([side, np.cross(direction, side)], axis=1)
    low = plane.min(axis=0)
    scale = (_MAP_SIZE - 1) / (plane.max(axis=0) - low).max()
    pixels = ((plane - low) * scale).astype(np.float32)
    nearness = (points_m @ direction).astype(np.float32)
    seen, _ = rasterize(pixels, nearness, triangles, keep, two_sided, _MAP_SIZE, _MAP_SIZE)
    rows, columns = np.clip(pixels[:, ::-1].astype(int), 0, _MAP_SIZE - 1).T
    return nearness > seen[rows, columns] - _BIAS_M
