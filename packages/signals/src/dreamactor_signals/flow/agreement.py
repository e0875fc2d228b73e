"""What most of many moving points agree on: least squares that come to leave out who goes elsewhere.

Legend: N points, 2 coordinates, K unknowns.
"""

import numpy as np

# Points are followed to about this.
_NOISE_PX = 0.1
_ROUNDS = 12
_FEWEST, _LEAST_SHARE = 8, 0.4
_MEDIAN_TO_SIGMA = 1.4826
# Nothing is so free that equations of few points in one place cannot be solved.
_FREE = 1e-9


def agreed(rows_N2K: np.ndarray, moved_N2: np.ndarray, usual_K: np.ndarray, alike_px: float) -> np.ndarray | None:
    """The unknowns that most points tell, by reweighted least squares that begin at the median.

    Args:
        rows_N2K: pixels by which each unknown moves each point.
        moved_N2: pixels by which the points moved.
        usual_K: what the unknowns mostly are; those of few points are held as small unless the points insist. Infinite
            where anything is as likely.
        alike_px: points that lie within this of where the unknowns take them agree with them.

    Returns:
        (K,), or None where too few agree.
    """
    if len(moved_N2) < _FEWEST:
        return None
    held_KK = np.diag((_NOISE_PX / usual_K) ** 2 + _FREE)
    solved_K, left_N2 = np.zeros(len(usual_K)), moved_N2 - np.median(moved_N2, axis=0)
    for _ in range(_ROUNDS):
        far_N = np.linalg.norm(left_N2, axis=-1)
        noise = max(_NOISE_PX, _MEDIAN_TO_SIGMA * float(np.median(far_N)))
        weight_N = 1 / (1 + np.square(far_N / noise)) ** 2
        weighted_N2K = rows_N2K * weight_N[:, None, None]
        left_KK = np.einsum("nij,nik->jk", weighted_N2K, rows_N2K) + held_KK
        solved_K = np.linalg.solve(left_KK, np.einsum("nij,ni->j", weighted_N2K, moved_N2))
        left_N2 = moved_N2 - rows_N2K @ solved_K
    agree_N = np.linalg.norm(left_N2, axis=-1) < alike_px
    return solved_K if agree_N.sum() >= max(_FEWEST, _LEAST_SHARE * len(agree_N)) else None
