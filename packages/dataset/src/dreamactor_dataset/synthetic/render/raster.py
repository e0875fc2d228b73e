"""Which triangle each pixel sees: a z-buffer over projected triangles.

Legend: N vertices, M triangles, H W pixels. `nearness` is any quantity that is linear on the screen and grows towards
the viewer: 1 / depth under perspective, minus depth under an orthographic light.
"""

import numpy as np
from numba import njit

EMPTY = -1


@njit(cache=True)
def rasterize(
    points_px: np.ndarray,
    nearness: np.ndarray,
    triangles: np.ndarray,
    keep: np.ndarray,
    two_sided: np.ndarray,
    height: int,
    width: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw triangles into an empty buffer.

    Args:
        points_px: (N, 2) float32; pixel (i, j) is sampled at its centre (j + 0.5, i + 0.5).
        nearness: (N,) float32; -inf on a vertex behind the viewer drops its triangles.
        triangles: (M, 3) int32; clockwise on the screen (y down) faces the viewer.
        keep: (N,) float32, interpolated over each triangle; pixels where it is negative are cut away.
        two_sided: (M,) bool, draw the triangle from behind too.
        height, width: of the buffer.

    Returns:
        (H, W) float32 nearness and (H, W) int32 triangle index, `EMPTY` where nothing is seen.
    """
    seen = np.full((height, width), np.float32(-np.inf), dtype=np.float32)
    index = np.full((height, width), np.int32(EMPTY), dtype=np.int32)
    for m in range(triangles.shape[0]):
        a, b, c = triangles[m, 0], triangles[m, 1], triangles[m, 2]
        if keep[a] < 0 and keep[b] < 0 and keep[c] < 0:
            continue
        if not (np.isfinite(nearness[a]) and np.isfinite(nearness[b]) and np.isfinite(nearness[c])):
            continue
        _draw(m, a, b, c, points_px, nearness, keep, two_sided[m], seen, index)
    return seen, index


@njit(cache=True)
def _draw(
    m: int,
    a: int,
    b: int,
    c: int,
    points_px: np.ndarray,
    nearness: np.ndarray,
    keep: np.ndarray,
    both_sides: bool,
    seen: np.ndarray,
    index: np.ndarray,
) -> None:
    """Fill one triangle where it is nearer than what stands there and not cut away."""
    ax, ay = points_px[a, 0], points_px[a, 1]
    bx, by = points_px[b, 0], points_px[b, 1]
    cx, cy = points_px[c, 0], points_px[c, 1]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area == 0 or (area > 0 and not both_sides):
        return
    height, width = seen.shape
    first_row = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
    last_row = min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
    first_column = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
    last_column = min(width - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
    scale = np.float32(1.0) / area
    for row in range(first_row, last_row + 1):
        y = np.float32(row + 0.5)
        for column in range(first_column, last_column + 1):
            x = np.float32(column + 0.5)
            share_b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) * scale
            share_c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) * scale
            share_a = np.float32(1.0) - share_b - share_c
            if share_a < 0 or share_b < 0 or share_c < 0:
                continue
            near = share_a * nearness[a] + share_b * nearness[b] + share_c * nearness[c]
            if near <= seen[row, column]:
                continue
            if share_a * keep[a] + share_b * keep[b] + share_c * keep[c] < 0:
                continue
            seen[row, column] = near
            index[row, column] = m


@njit(cache=True)
def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N, 3) unit normals, triangles counting by area; outward where they wind counter-clockwise from outside."""
    normals = np.zeros_like(points)
    for m in range(triangles.shape[0]):
        a, b, c = triangles[m, 0], triangles[m, 1], triangles[m, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for n in range(points.shape[0]):
        length = np.sqrt(normals[n, 0] ** 2 + normals[n, 1] ** 2 + normals[n, 2] ** 2)
        if length > 0:
            normals[n] /= length
    return normals
