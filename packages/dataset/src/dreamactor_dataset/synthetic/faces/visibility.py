"""Which face units can be seen at all: each is switched fully on, and the pictures before and after are compared.

The rule: a unit is visible if, on the average over people, it changes the face crop by at least `LEAST_CHANGE` levels
of 255, averaged over all pixels and colours, in the view (frontal or turned to either side) that shows it best.
Legend: U face units.
"""

from collections.abc import Sequence

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS

from dreamactor_dataset.synthetic.faces.close_up import Pose, Sitter
from dreamactor_dataset.synthetic.figure.figure import Figure

LEAST_CHANGE = 0.1
_SIZE_PX = 96
_YAWS_RAD = (-0.6, 0.0, 0.6)
# What a unit stands on: the lips can only be closed over an open jaw.
_BASES = {"mouthClose": "jawOpen"}


def unit_changes(figures: Sequence[Figure]) -> dict[str, float]:
    """Mean change of the picture by unit, in levels of 255."""
    changes = np.mean([_changes(figure) for figure in figures], axis=0)
    return {unit: round(float(change), 3) for unit, change in zip(ARKIT_UNITS, changes.max(axis=0), strict=True)}


def visible_units(changes: dict[str, float]) -> dict[str, float]:
    """Those that pass the rule."""
    return {unit: change for unit, change in changes.items() if change >= LEAST_CHANGE}


def _changes(figure: Figure) -> np.ndarray:
    """(views, U)"""
    sitter = Sitter(figure, _SIZE_PX, margin=1.0)
    on_UU = np.eye(len(ARKIT_UNITS), dtype=np.float32)
    on_UU[ARKIT_UNITS.index("_neutral")] = 0
    off_UU = np.zeros_like(on_UU)
    for unit, base in _BASES.items():
        off_UU[ARKIT_UNITS.index(unit), ARKIT_UNITS.index(base)] = 1
    different, row_of_unit = np.unique(off_UU, axis=0, return_inverse=True)
    changes = []
    for yaw_rad in _YAWS_RAD:
        pose = Pose(yaw_rad, 0.0, 0.0, neck_share=0.5, distance_m=1.5)
        before = _pictures(sitter, pose, different)[row_of_unit]
        changes.append(np.abs(_pictures(sitter, pose, on_UU + off_UU) - before).mean(axis=(1, 2, 3)))
    return np.stack(changes)


def _pictures(sitter: Sitter, pose: Pose, units: np.ndarray) -> np.ndarray:
    """(K, S, S, 3) float32 of expressions (K, U), all in the same light."""
    randoms = [np.random.default_rng(0) for _ in units]
    return np.stack([shot.image for shot in sitter.photograph([pose] * len(units), units, randoms)]).astype(np.float32)
