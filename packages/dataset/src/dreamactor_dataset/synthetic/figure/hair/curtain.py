"""Hair that falls: a grid around the head, open at the face, from the crown down to ear level and on from there.

Legend: N vertices.
"""

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh

from dreamactor_dataset.synthetic.figure.hair.anchors import anchored, direction
from dreamactor_dataset.synthetic.figure.hair.cut import Hair
from dreamactor_dataset.synthetic.figure.hair.scalp import scalp_dm
from dreamactor_dataset.synthetic.figure.parts import Material, Part, triangulate

_COLUMNS, _CAP_ROWS, _HANGING_ROWS = 96, 14, 14
_FACE_OPENING_RAD = 0.92
EAR_LEVEL_RAD = 1.75


def curtain(hair: Hair) -> Part:
    """The grid, thickest over the ears."""
    polar, azimuth = _grid()
    blend = anchored(direction(polar, azimuth))
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
    rows = np.concatenate([np.linspace(0.02, EAR_LEVEL_RAD, _CAP_ROWS), np.full(_HANGING_ROWS, EAR_LEVEL_RAD)])
    columns = np.arange(_COLUMNS) / _COLUMNS * 2 * np.pi - np.pi
    polar, azimuth = np.meshgrid(rows, columns, indexing="ij")
    return polar.ravel(), azimuth.ravel()


def _grid_quads() -> np.ndarray:
    rows, columns = np.meshgrid(np.arange(_CAP_ROWS + _HANGING_ROWS - 1), np.arange(_COLUMNS), indexing="ij")
    here, right = rows * _COLUMNS + columns, rows * _COLUMNS + (columns + 1) % _COLUMNS
    return np.stack([here, here + _COLUMNS, right + _COLUMNS, right], axis=-1).reshape(-1, 4)


def _uneven(azimuth: np.ndarray) -> np.ndarray:
    """Locks end at slightly different lengths."""
    return 1 + 0.03 * np.sin(7 * azimuth + 1) + 0.025 * np.sin(17 * azimuth) + 0.02 * np.sin(41 * azimuth + 2)
