"""A knitted cap: a dome over the head down to the brows, the ears and the nape.

Legend: N vertices.
"""

from dataclasses import replace

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh

from dreamactor_dataset.synthetic.figure.hair.anchors import anchored, direction
from dreamactor_dataset.synthetic.figure.hair.scalp import scalp_dm
from dreamactor_dataset.synthetic.figure.parts import Material, Part, triangulate, worn

_ROWS, _COLUMNS = 22, 72
_LOWEST_RAD = 1.9
# The brim in profile: height by depth, over the brows, above the ears, down to the nape.
_BRIM_Z_DM, _BRIM_Y_DM = (-0.7, 0.2, 0.7, 1.3), (6.95, 7.35, 7.45, 7.72)
_TURNED_UP_DM = 0.35
# Hair is this much thicker here and there (`hair.shell`).
_TOUSLED = 1.3
# So far above the brim hair is not drawn: it would come through.
_TUCKED_DM = 0.45


def hat_part(hair_m: float) -> Part:
    """The cap, over hair of a thickness; its brim is turned up."""
    polar = np.repeat(np.linspace(0.02, _LOWEST_RAD, _ROWS), _COLUMNS)
    azimuth = np.tile(np.arange(_COLUMNS) / _COLUMNS * 2 * np.pi, _ROWS)
    blend = anchored(direction(polar, azimuth))
    points_dm = blend @ load_base_mesh().template_dm
    above_dm = _above_brim_dm(points_dm)
    brim = np.clip((_TURNED_UP_DM - above_dm) / 0.04, 0, 1)
    # Hair is thin where the brim lies on skin.
    below = np.clip(scalp_dm(points_dm, 0.0) / 0.45, 0, 1)
    offset_m = _TOUSLED * hair_m * below + 0.004 + 0.003 * brim + 0.010 * np.clip(1 - polar / 0.9, 0, 1)
    rows, columns = np.meshgrid(np.arange(_ROWS - 1), np.arange(_COLUMNS), indexing="ij")
    here, right = rows * _COLUMNS + columns, rows * _COLUMNS + (columns + 1) % _COLUMNS
    triangles = triangulate(np.stack([here, here + _COLUMNS, right + _COLUMNS, right], axis=-1).reshape(-1, 4))
    material = np.full(len(triangles), Material.HAT, np.int32)
    return worn(blend, triangles.astype(np.int32), material, offset_m, above_dm)


def tucked(hair: Part) -> Part:
    """Hair under the cap: only what shows below it."""
    shown_dm = _TUCKED_DM - _above_brim_dm(hair.template_dm)
    return replace(hair, keep_dm=np.minimum(hair.keep_dm, shown_dm))


def _above_brim_dm(points_dm: np.ndarray) -> np.ndarray:
    return np.asarray(points_dm[:, 1] - np.interp(points_dm[:, 2], _BRIM_Z_DM, _BRIM_Y_DM))
