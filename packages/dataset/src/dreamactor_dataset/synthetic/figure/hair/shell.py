"""Hair: a shell over the scalp for every style, and a curtain around the head for bob and long.

The hairline is a function of the template; hair thins to nothing there and the skin below is painted in its colour
(`paint`), so that no edge and no hole shows.
Legend: N vertices of a part, V base vertices.
"""

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from dreamactor_dataset.synthetic.figure.identity import Hair
from dreamactor_dataset.synthetic.figure.parts import Material, Part, select, triangulate
from dreamactor_dataset.synthetic.render.noise import value_noise

# Hairline in profile: height by depth, from the forehead over the temple, around the ear, to the nape.
_LINE_Z_DM = (-0.75, -0.35, 0.05, 0.22, 0.36, 0.72, 0.82, 0.95, 1.08, 1.22, 1.35, 1.50)
_LINE_Y_DM = (6.42, 6.50, 6.75, 7.10, 7.46, 7.42, 7.25, 7.50, 7.70, 7.88, 7.96, 7.98)
_FADE_DM = 0.45
_OUTSIDE_DM = 0.15
# Less than an ear is thick.
_SUNK_M = 0.002
_MIDDLE_DM = np.array((0.0, 7.45, 0.40))


def scalp_dm(points_dm: np.ndarray, receding: float) -> np.ndarray:
    """(N,) how far template points lie inside the hairline; negative on the face, ears and neck."""
    x, y, z = np.abs(points_dm[:, 0]), points_dm[:, 1], points_dm[:, 2]
    line = np.interp(z, _LINE_Z_DM, _LINE_Y_DM)
    # Hair draws back first above the temples.
    line = line + receding * (
        0.25 * np.clip((z - 0.9) / 0.4, 0, 1) + 0.35 * np.exp(-(((x - 0.5) / 0.2) ** 2)) * (z > 0.8)
    )
    ear = (x > 0.78) & (y < 7.42) & (z > 0.2) & (z < 0.8)
    # Hair ends in front of and behind an ear as it does at any other line: just outside.
    return np.where(y < 6.2, -1.0, np.where(ear, np.minimum(y - line, -_OUTSIDE_DM), y - line))


def hair_parts(hair: Hair) -> list[Part]:
    """Meshes of a style: none for a bald head."""
    if hair.style == "bald":
        return []
    shell = _shell(hair)
    return [shell, _curtain(hair)] if hair.style in ("bob", "long") else [shell]


def _shell(hair: Hair) -> Part:
    """The scalp's own faces, pushed out by the hair's thickness."""
    blend, quads, _ = select(("body",))
    points_dm = blend @ load_base_mesh().template_dm
    inside = scalp_dm(points_dm, hair.receding)
    chosen = quads[(inside[quads] > -2 * _OUTSIDE_DM).all(axis=1)]
    used, compact = np.unique(chosen, return_inverse=True)
    triangles = triangulate(compact.reshape(chosen.shape)).astype(np.int32)
    # Outside the hairline the shell runs below the skin: its edge is where the two meet, and nothing gapes.
    share = np.clip(inside[used] / _FADE_DM, -0.6, 1)
    rise = np.where(share > 0, 1 - (1 - share) ** 2, 2 * share)
    top = np.clip((points_dm[used, 1] - 7.3) / 1.0, 0, 1)
    offset_m = hair.thickness_m * rise * (0.55 + 0.45 * top) * _tousle(points_dm[used], hair)
    offset_m = np.maximum(offset_m, -_SUNK_M)
    return Part(
        blend=csr_matrix(blend[used]),
        triangles=triangles,
        material=np.full(len(triangles), Material.HAIR, np.int32),
        offset_m=offset_m,
        shift_m=np.zeros((len(used), 3)),
        keep_dm=np.ones(len(used)),
        uv=np.zeros((len(triangles), 3, 2)),
        two_sided=False,
    )


def _tousle(points_dm: np.ndarray, hair: Hair) -> np.ndarray:
    """(N,) factor around 1 that keeps a head of hair from being a helmet."""
    rough = {"straight": 0.45, "wavy": 0.7, "coily": 0.6}[hair.texture]
    noise = np.array([value_noise(*(5.0 * point)) for point in points_dm])
    return 1 + rough * (noise - 0.5)


# The curtain: columns around the head, rows from the crown down to ear level, then hanging.
_COLUMNS, _CAP_ROWS, _HANGING_ROWS = 96, 14, 14
_ANCHORS = 6
_FACE_OPENING_RAD = 0.92


def _curtain(hair: Hair) -> Part:
    """Hair that falls from the crown: a grid around the head, open at the face."""
    polar, azimuth = _grid()
    blend = _anchored(polar, azimuth)
    hanging = np.clip(np.arange(_CAP_ROWS + _HANGING_ROWS) - _CAP_ROWS + 1, 0, None) / _HANGING_ROWS
    drop = np.repeat(hanging, _COLUMNS) * (0.045 + hair.length_m) * _uneven(azimuth)
    outward = np.stack([np.sin(azimuth), np.zeros_like(azimuth), np.cos(azimuth)], axis=1)
    backward = np.clip(-np.cos(azimuth), 0, 1)
    shift_m = outward * (0.10 * drop * (0.4 + backward))[:, None] - drop[:, None] * (0, 1, 0)
    waves = {"straight": 0.0, "wavy": 0.010, "coily": 0.016}[hair.texture]
    shift_m = shift_m + outward * (waves * np.sin(5 * azimuth + 260 * drop) * np.clip(20 * drop, 0, 1))[:, None]
    over_ears = 0.016 * np.exp(-(((np.abs(azimuth) - 1.65) / 0.4) ** 2)) * np.clip((polar - 1.0) / 0.5, 0, 1)
    scalp = scalp_dm(blend @ load_base_mesh().template_dm, hair.receding)
    triangles = triangulate(_grid_quads()).astype(np.int32)
    return Part(
        blend=blend,
        triangles=triangles,
        material=np.full(len(triangles), Material.HAIR, np.int32),
        offset_m=hair.thickness_m * np.clip(polar / 0.6, 0.3, 1) + over_ears,
        shift_m=shift_m,
        keep_dm=np.maximum(np.where(drop > 0, -1.0, scalp), np.abs(azimuth) - _FACE_OPENING_RAD),
        uv=np.zeros((len(triangles), 3, 2)),
        two_sided=True,
    )


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """(N,) polar angle from the crown and azimuth from the face, both in radians; hanging rows repeat ear level."""
    rows = np.concatenate([np.linspace(0.02, 1.75, _CAP_ROWS), np.full(_HANGING_ROWS, 1.75)])
    columns = np.arange(_COLUMNS) / _COLUMNS * 2 * np.pi - np.pi
    polar, azimuth = np.meshgrid(rows, columns, indexing="ij")
    return polar.ravel(), azimuth.ravel()


def _grid_quads() -> np.ndarray:
    rows, columns = np.meshgrid(np.arange(_CAP_ROWS + _HANGING_ROWS - 1), np.arange(_COLUMNS), indexing="ij")
    here, right = rows * _COLUMNS + columns, rows * _COLUMNS + (columns + 1) % _COLUMNS
    return np.stack([here, here + _COLUMNS, right + _COLUMNS, right], axis=-1).reshape(-1, 4)


def _anchored(polar: np.ndarray, azimuth: np.ndarray) -> csr_matrix:
    """(N, V) each grid point as a blend of the head's vertices that lie in its direction from the head's middle."""
    template_dm = load_base_mesh().template_dm
    body = np.unique(load_base_mesh().quads["body"])
    head = body[_is_skull(template_dm[body])]
    directions = template_dm[head] - _MIDDLE_DM
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    wanted = np.stack([np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth)], axis=1)
    distance, nearest = cKDTree(directions).query(wanted, k=_ANCHORS)
    weights = 1 / (distance**2 + 1e-3)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(wanted)), _ANCHORS)
    return csr_matrix((weights.ravel(), (rows, head[nearest].ravel())), shape=(len(wanted), len(template_dm)))


def _is_skull(points_dm: np.ndarray) -> np.ndarray:
    """Outer head without ears, nose and what lies inside."""
    x, y, z = np.abs(points_dm[:, 0]), points_dm[:, 1], points_dm[:, 2]
    ear = (x > 0.74) & (y < 7.4) & (z > 0.1) & (z < 0.9)
    outer = np.linalg.norm((points_dm - _MIDDLE_DM) / (0.75, 1.1, 1.0), axis=1) > 0.85
    return (y > 6.9) & ~ear & outer & (z < 1.5)


def _uneven(azimuth: np.ndarray) -> np.ndarray:
    """Locks end at slightly different lengths."""
    return 1 + 0.03 * np.sin(7 * azimuth + 1) + 0.025 * np.sin(17 * azimuth) + 0.02 * np.sin(41 * azimuth + 2)
