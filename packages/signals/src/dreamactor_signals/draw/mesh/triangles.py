"""The rasteriser of meshes: triangles into a depth buffer, as pictures (several samples a pixel) or as what lies where.

Legend: N vertices, M triangles, H height, W width, C channels.
"""

import numpy as np
from numba import njit

SAMPLES = 2
"""Samples of a pixel along each axis."""


@njit(cache=True, nogil=True, error_model="numpy")
def paint_triangles(
    planes: np.ndarray,
    points_px: np.ndarray,
    depth_m: np.ndarray,
    colours: np.ndarray,
    keep: np.ndarray,
    triangles: np.ndarray,
    opacity: float,
) -> None:
    """Paint M triangles into a picture, the nearest on top; those that show their back are left out.

    Args:
        planes: (3, H, W) uint8, changed in place.
        points_px: (N, 2) float64; pixel centres lie at halves.
        depth_m: (N,) float64, positive where a triangle uses it.
        colours: (N, 3) float64 in [0, 255], blended over each triangle.
        keep: (N,) float64, blended over each triangle, which is cut away where it is negative.
        triangles: (M, 3) int64; clockwise on the screen (y down) faces the viewer.
        opacity: in [0, 1], of all of them.
    """
    height, width = planes.shape[1] * SAMPLES, planes.shape[2] * SAMPLES
    nearness = np.zeros((height, width), np.float64)
    painted = np.zeros((height, width, 3), np.float32)
    points_in_samples = points_px * SAMPLES
    for m in range(len(triangles)):
        _paint_triangle(nearness, painted, points_in_samples, depth_m, colours, keep, triangles[m])
    share = opacity / (SAMPLES * SAMPLES)
    for row in range(planes.shape[1]):
        for column in range(planes.shape[2]):
            covered = 0
            red, green, blue = 0.0, 0.0, 0.0
            for y in range(row * SAMPLES, (row + 1) * SAMPLES):
                for x in range(column * SAMPLES, (column + 1) * SAMPLES):
                    if nearness[y, x] > 0.0:
                        covered += 1
                        red += painted[y, x, 0]
                        green += painted[y, x, 1]
                        blue += painted[y, x, 2]
            if covered > 0:
                rest = 1.0 - share * covered
                planes[0, row, column] = np.uint8(rest * planes[0, row, column] + share * red + 0.5)
                planes[1, row, column] = np.uint8(rest * planes[1, row, column] + share * green + 0.5)
                planes[2, row, column] = np.uint8(rest * planes[2, row, column] + share * blue + 0.5)


@njit(cache=True, nogil=True, error_model="numpy")
def surface_at_centers(
    shape: tuple[int, int],
    points_px: np.ndarray,
    depth_m: np.ndarray,
    values: np.ndarray,
    triangles: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """What lies nearest at the centre of every pixel.

    Args:
        shape: rows and columns.
        points_px, depth_m, triangles: as of `paint_triangles`.
        values: (N, C) float64, blended over each triangle.

    Returns:
        (H, W) bool, where there is a triangle, and (H, W, C) float32, zero elsewhere.
    """
    nearness = np.zeros(shape, np.float64)
    painted = np.zeros((shape[0], shape[1], values.shape[1]), np.float32)
    keep = np.ones(len(points_px), np.float64)
    for m in range(len(triangles)):
        _paint_triangle(nearness, painted, points_px, depth_m, values, keep, triangles[m])
    return nearness > 0.0, painted


@njit(cache=True, nogil=True, error_model="numpy")
def _paint_triangle(
    nearness: np.ndarray,
    painted: np.ndarray,
    points: np.ndarray,
    depth_m: np.ndarray,
    colours: np.ndarray,
    keep: np.ndarray,
    corners: np.ndarray,
) -> None:
    """Fill one triangle's samples where it is nearer than what stands there; 1 / depth is linear on the screen.

    Points are in samples, whose centres lie at halves.
    """
    a, b, c = corners[0], corners[1], corners[2]
    if keep[a] < 0.0 and keep[b] < 0.0 and keep[c] < 0.0:
        return
    ax, ay = points[a, 0], points[a, 1]
    bx, by = points[b, 0], points[b, 1]
    cx, cy = points[c, 0], points[c, 1]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area >= 0.0:
        return
    height, width = nearness.shape
    first_row = int(min(max(np.ceil(min(ay, by, cy) - 0.5), 0.0), float(height)))
    last_row = int(max(min(np.floor(max(ay, by, cy) - 0.5), height - 1.0), -1.0))
    first_column = int(min(max(np.ceil(min(ax, bx, cx) - 0.5), 0.0), float(width)))
    last_column = int(max(min(np.floor(max(ax, bx, cx) - 0.5), width - 1.0), -1.0))
    for row in range(first_row, last_row + 1):
        y = row + 0.5
        for column in range(first_column, last_column + 1):
            x = column + 0.5
            share_b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
            share_c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
            share_a = 1.0 - share_b - share_c
            if share_a < 0.0 or share_b < 0.0 or share_c < 0.0:
                continue
            near = share_a / depth_m[a] + share_b / depth_m[b] + share_c / depth_m[c]
            kept = share_a * keep[a] + share_b * keep[b] + share_c * keep[c]
            if near <= nearness[row, column] or kept < 0.0:
                continue
            nearness[row, column] = near
            for channel in range(painted.shape[2]):
                painted[row, column, channel] = (
                    share_a * colours[a, channel] + share_b * colours[b, channel] + share_c * colours[c, channel]
                )


@njit(cache=True, nogil=True, error_model="numpy")
def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N, 3) unit normals of points (N, 3), triangles counting by their area; zero where no triangle has any."""
    normals = np.zeros_like(points)
    for m in range(len(triangles)):
        a, b, c = triangles[m, 0], triangles[m, 1], triangles[m, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        for corner in (a, b, c):
            normals[corner, 0] += uy * vz - uz * vy
            normals[corner, 1] += uz * vx - ux * vz
            normals[corner, 2] += ux * vy - uy * vx
    for n in range(len(points)):
        length = np.sqrt(normals[n, 0] ** 2 + normals[n, 1] ** 2 + normals[n, 2] ** 2)
        if length > 0.0:
            normals[n] /= length
    return normals
