"""Where hair grows: the hairline is a function of the template, shared by meshes and paint."""

import numpy as np

# Hairline in profile: height by depth, from the forehead over the temple, around the ear, to the nape.
_LINE_Z_DM = (-0.75, -0.35, 0.05, 0.22, 0.36, 0.72, 0.82, 0.95, 1.08, 1.22, 1.35, 1.50)
_LINE_Y_DM = (6.42, 6.50, 6.75, 7.10, 7.46, 7.42, 7.25, 7.50, 7.70, 7.88, 7.96, 7.98)
OUTSIDE_DM = 0.15


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
    return np.where(y < 6.2, -1.0, np.where(ear, np.minimum(y - line, -OUTSIDE_DM), y - line))
