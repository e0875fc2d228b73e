"""FaceVerse results: how the head is turned.

An `.npz` or pickle with either `angle` (T, 3), or `coeffs` (T, C), FaceVerse's packed coefficients, with `id_dims`,
`exp_dims` and `tex_dims` (C = their sum + 3 angles + 27 lighting + 3 translation, and possibly more); and valid (T,),
which may be absent (1). Angles are x, y, z in radians, the matrix Rz Ry Rx in a camera space with y up: (pi, 0, 0) is a
head that faces the camera. `face_units` (T, 52), ARKit weights in this project's order, are taken when they are there.
FaceVerse fits crops, so its translation says nothing of the frame and is not read.

Legend: T frames, U face units.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.face_units import ARKIT_UNITS

from dreamactor_signals.foreign.files import array_of, read_foreign

WHAT = "a FaceVerse result"
_Y_UP = np.diag((1.0, -1.0, -1.0))


@dataclass(frozen=True)
class Faces:
    """Heads of a clip.

    Attributes:
        rotation: (T, 3, 3) head coordinates to camera space. confidence: (T,). units: (T, U) or None.
    """

    rotation: np.ndarray
    confidence: np.ndarray
    units: np.ndarray | None


def read_faceverse(path: Path) -> Faces:
    """Read a result.

    Raises:
        InputError: missing, damaged, of another layout, or a pickle that asks for more than data.
    """
    from scipy.spatial.transform import Rotation

    values = read_foreign(path)
    if "angle" in values:
        angle_rad = array_of(values, "angle", (None, 3), path, what=WHAT)
    else:
        coefficients = array_of(values, "coeffs", (None, None), path, what=WHAT)
        start = sum(int(array_of(values, name, (), path, what=WHAT)) for name in ("id_dims", "exp_dims", "tex_dims"))
        if not 0 < start <= coefficients.shape[1] - 33:
            raise InputError(f"not {WHAT}: {coefficients.shape[1]} coefficients do not hold these sizes", path=path)
        angle_rad = coefficients[:, start : start + 3]
    count = len(angle_rad)
    valid = array_of(values, "valid", (count,), path, what=WHAT) if "valid" in values else np.ones(count)
    units = None
    if "face_units" in values:
        units = np.clip(array_of(values, "face_units", (count, len(ARKIT_UNITS)), path, what=WHAT), 0, 1)
    rotation = _Y_UP @ Rotation.from_euler("xyz", angle_rad).as_matrix()
    return Faces(np.where(valid[:, None, None] > 0, rotation, np.eye(3)), np.clip(valid, 0, 1), units)
