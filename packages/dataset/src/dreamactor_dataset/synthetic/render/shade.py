"""Colours of pixels: each is shaded once, from the triangle it sees (deferred), in linear light.

Skin scatters (its shadow edge is soft and red), eyes are painted in the iris' own angles, cloth (`fabric`) and hair
(`strands`) get their grain from where they lie on the template, so that it moves with the body.
Legend: N vertices, M triangles, H W pixels, K materials.
"""

import numpy as np
from numba import njit

from dreamactor_dataset.synthetic.figure.parts import Material
from dreamactor_dataset.synthetic.render.fabric import cloth_color, soft_step
from dreamactor_dataset.synthetic.render.noise import fractal, value_noise
from dreamactor_dataset.synthetic.render.shadows import shadow
from dreamactor_dataset.synthetic.render.strands import hair_color

_SKIN, _EYE, _LASH = int(Material.SKIN), int(Material.EYE), int(Material.LASH)
_TEETH, _MOUTH, _HAIR = int(Material.TEETH), int(Material.MOUTH), int(Material.HAIR)
_FRAME = int(Material.FRAME)

# Radians on the eyeball, seen from its centre.
_PUPIL_RAD, _IRIS_RAD = 0.17, 0.44


@njit(cache=True)
def shade(
    index: np.ndarray,
    points_px: np.ndarray,
    points_cam: np.ndarray,
    normals_cam: np.ndarray,
    triangles: np.ndarray,
    material: np.ndarray,
    uv: np.ndarray,
    place: np.ndarray,
    openness: np.ndarray,
    fold: np.ndarray,
    head_paint: np.ndarray,
    head_window: np.ndarray,
    colours: np.ndarray,
    seconds: np.ndarray,
    patterns: np.ndarray,
    lights: np.ndarray,
    shadow_frame: np.ndarray,
    shadow_depth: np.ndarray,
    image: np.ndarray,
) -> None:
    """Paint every pixel that sees a triangle into `image` (H, W, 3) float32, linear light.

    Args:
        index: (H, W) int32 triangle of each pixel.
        points_px, points_cam, normals_cam: (N, 2), (N, 3), (N, 3) float32.
        fold: (N, 2) float32, see `fabric.folds`.
        colours, seconds: (K, 3) float32 by material; seconds of the eye is the iris.
        patterns: (K, 3) float32: kind, scale and ribs, see `outfit.Cloth`; of hair texture and length of strands.
        lights: (6, 3) rows of `Lights`.
        shadow_frame: (3, 4) camera space to shadow map column, row, nearness.
        shadow_depth: nearness map of the key light.
    """
    color, normal = np.zeros(3, np.float32), np.zeros(3, np.float32)
    view, point, place_here = np.zeros(3, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)
    uv_here, fold_here = np.zeros(2, np.float32), np.zeros(2, np.float32)
    for row in range(index.shape[0]):
        for column in range(index.shape[1]):
            m = index[row, column]
            if m < 0:
                continue
            a, b, c = triangles[m, 0], triangles[m, 1], triangles[m, 2]
            sa, sb, sc = _shares(points_px, points_cam, a, b, c, column + 0.5, row + 0.5)
            _mix(normal, normals_cam, a, b, c, sa, sb, sc)
            _mix(point, points_cam, a, b, c, sa, sb, sc)
            _mix(place_here, place, a, b, c, sa, sb, sc)
            _mix(fold_here, fold, a, b, c, sa, sb, sc)
            _mix(uv_here, uv[m], 0, 1, 2, sa, sb, sc)
            for axis in range(3):
                view[axis] = -point[axis]
                color[axis] = colours[material[m], axis]
            _unit(normal)
            _unit(view)
            _face_viewer(normal, view)
            gloss, sharpness, scatter = _surface(
                material[m], color, normal, place_here, uv_here, fold_here, head_paint, head_window, seconds, patterns
            )
            open_sky = sa * openness[a] + sb * openness[b] + sc * openness[c]
            sun = shadow(point[0], point[1], point[2], normal, shadow_frame, shadow_depth)
            _light(image[row, column], color, normal, view, open_sky, sun, gloss, sharpness, scatter, lights)


@njit(cache=True)
def _mix(
    mixed: np.ndarray,
    corners: np.ndarray,
    a: int,
    b: int,
    c: int,
    share_a: np.float32,
    share_b: np.float32,
    share_c: np.float32,
) -> None:
    """What lies at a pixel, of what lies at its triangle's corners, rows a, b and c."""
    for axis in range(len(mixed)):
        mixed[axis] = share_a * corners[a, axis] + share_b * corners[b, axis] + share_c * corners[c, axis]


@njit(cache=True)
def _face_viewer(normal: np.ndarray, view: np.ndarray) -> None:
    """The inside of a two-sided surface is lit as if it were an outside."""
    if normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2] < 0:
        for axis in range(3):
            normal[axis] = -normal[axis]


@njit(cache=True)
def _surface(
    kind: int,
    color: np.ndarray,
    normal: np.ndarray,
    place: np.ndarray,
    uv: np.ndarray,
    fold: np.ndarray,
    head_paint: np.ndarray,
    head_window: np.ndarray,
    seconds: np.ndarray,
    patterns: np.ndarray,
) -> tuple[float, float, float]:
    """Colour and small relief of a material, in place; returns gloss, its sharpness and how far light scatters."""
    x, y, z = place[0], place[1], place[2]
    if kind == _SKIN:
        _skin_color(color, uv[0], uv[1], x, y, z, head_paint, head_window)
        return 0.05, 22.0, 1.0
    if kind == _EYE:
        _eye_color(color, x, y, z, seconds[kind])
        return 0.05, 500.0, 0.0
    if kind == _HAIR:
        gloss = hair_color(color, normal, uv, x, y, z, patterns[kind])
        _unit(normal)
        return gloss, 10.0, 0.0
    if kind == _FRAME:
        return 0.12, 60.0, 0.0
    if kind in (_TEETH, _MOUTH):
        return 0.10, 40.0, 0.5
    if kind != _LASH:
        cloth_color(color, normal, x, y, z, fold[0], fold[1], seconds[kind], patterns[kind])
        _unit(normal)
    return 0.02, 12.0, 0.0


@njit(cache=True)
def _shares(
    points_px: np.ndarray, points_cam: np.ndarray, a: int, b: int, c: int, x: float, y: float
) -> tuple[np.float32, np.float32, np.float32]:
    """Perspective-correct shares of a triangle's corners at a pixel."""
    ax, ay = points_px[a, 0], points_px[a, 1]
    bx, by = points_px[b, 0], points_px[b, 1]
    cx, cy = points_px[c, 0], points_px[c, 1]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    on_screen_b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
    on_screen_c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
    wa = (1 - on_screen_b - on_screen_c) / points_cam[a, 2]
    wb = on_screen_b / points_cam[b, 2]
    wc = on_screen_c / points_cam[c, 2]
    total = wa + wb + wc
    return np.float32(wa / total), np.float32(wb / total), np.float32(wc / total)


@njit(cache=True)
def _unit(vector: np.ndarray) -> None:
    length = np.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])
    if length > 0:
        for axis in range(3):
            vector[axis] /= length


@njit(cache=True)
def _skin_color(
    color: np.ndarray, u: float, v: float, x: float, y: float, z: float, paint: np.ndarray, window: np.ndarray
) -> None:
    """The painted head inside its window, plain skin with blotches elsewhere."""
    height, width = paint.shape[0], paint.shape[1]
    column = (u - window[0]) / (window[2] - window[0]) * width - 0.5
    row = (window[3] - v) / (window[3] - window[1]) * height - 0.5
    if y > 6.0 and 0 <= column < width - 1 and 0 <= row < height - 1:
        i, j = int(row), int(column)
        di, dj = row - i, column - j
        for axis in range(3):
            top = paint[i, j, axis] * (1 - dj) + paint[i, j + 1, axis] * dj
            low = paint[i + 1, j, axis] * (1 - dj) + paint[i + 1, j + 1, axis] * dj
            color[axis] = top * (1 - di) + low * di
        return
    blotch = 1 + 0.08 * (fractal(1.6 * x, 1.6 * y, 1.6 * z) - 0.5) + 0.06 * (value_noise(14 * x, 14 * y, 14 * z) - 0.5)
    for axis in range(3):
        color[axis] *= blotch


@njit(cache=True)
def _eye_color(color: np.ndarray, x: float, y: float, z: float, iris: np.ndarray) -> None:
    """Pupil, iris with fibres and a dark rim, white that reddens to the corners."""
    off_axis = np.arctan2(np.sqrt(x * x + y * y), z)
    if off_axis > _IRIS_RAD * 1.06:
        red = soft_step(0.55, 1.1, off_axis)
        color[1] *= 1 - 0.22 * red
        color[2] *= 1 - 0.24 * red
        return
    fibre = value_noise(6 * np.cos(np.arctan2(y, x)) + 9, 6 * np.sin(np.arctan2(y, x)) + 9, 9 * off_axis)
    ring = soft_step(_IRIS_RAD * 1.06, _IRIS_RAD * 0.90, off_axis)
    pupil = soft_step(_PUPIL_RAD * 1.15, _PUPIL_RAD * 0.85, off_axis)
    bright = (0.75 + 0.9 * fibre) * (1.0 - 0.55 * soft_step(_IRIS_RAD * 0.72, _IRIS_RAD, off_axis))
    for axis in range(3):
        inner = iris[axis] * bright * (1 - pupil) + 0.004 * pupil
        color[axis] = color[axis] * (1 - ring) + inner * ring


@njit(cache=True)
def _light(
    pixel: np.ndarray,
    color: np.ndarray,
    normal: np.ndarray,
    view: np.ndarray,
    open_sky: float,
    sun: float,
    gloss: float,
    sharpness: float,
    scatter: float,
    lights: np.ndarray,
) -> None:
    """Diffuse and specular light of key, fill and surroundings."""
    toward_key = normal[0] * lights[0, 0] + normal[1] * lights[0, 1] + normal[2] * lights[0, 2]
    toward_fill = normal[0] * lights[2, 0] + normal[1] * lights[2, 1] + normal[2] * lights[2, 2]
    up = 0.5 - 0.5 * normal[1]
    facing = max(0.0, normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2])
    rim = (1 - facing) ** 4
    key_shine = _shine(normal, view, lights[0], sharpness) * sun
    fill_shine = _shine(normal, view, lights[2], sharpness)
    closed = 0.25 + 0.75 * open_sky
    for axis in range(3):
        # Light that goes into skin comes out red further round the bend.
        wrap = scatter * (0.30 if axis == 0 else (0.12 if axis == 1 else 0.08))
        key = max(0.0, (toward_key + wrap) / (1 + wrap))
        soft = sun + (1 - sun) * scatter * (0.16 if axis == 0 else 0.04)
        fill = max(0.0, (toward_fill + 0.2) / 1.2)
        around = lights[4, axis] * up + lights[5, axis] * (1 - up)
        diffuse = lights[1, axis] * key * soft + lights[3, axis] * fill * closed
        diffuse = (diffuse * (0.55 + 0.45 * open_sky)) + around * open_sky * (0.6 + 0.4 * open_sky)
        shine = gloss * (key_shine * lights[1, axis] + 0.6 * fill_shine * lights[3, axis])
        shine += (0.25 * gloss + 0.02) * rim * around * open_sky
        pixel[axis] = color[axis] * diffuse * 0.55 + shine


@njit(cache=True)
def _shine(normal: np.ndarray, view: np.ndarray, light: np.ndarray, sharpness: float) -> float:
    hx, hy, hz = view[0] + light[0], view[1] + light[1], view[2] + light[2]
    length = np.sqrt(hx * hx + hy * hy + hz * hz)
    if length == 0:
        return 0.0
    along = (normal[0] * hx + normal[1] * hy + normal[2] * hz) / length
    return max(0.0, along) ** sharpness * (sharpness + 8) / 25
