"""The sphere nearest to some points."""

import numpy as np


def nearest_sphere(points_m: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius of the sphere nearest to points (N, 3) in the algebraic sense."""
    # |p|^2 = 2 p.c + (r^2 - |c|^2) is linear in c and the bracket.
    design = np.concatenate([2 * points_m, np.ones((len(points_m), 1))], axis=1)
    *center, constant = np.linalg.lstsq(design, (points_m**2).sum(axis=1), rcond=None)[0]
    return np.array(center), float(np.sqrt(constant + np.dot(center, center)))
