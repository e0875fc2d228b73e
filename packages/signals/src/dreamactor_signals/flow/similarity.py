"""The one similarity of the plane that most of many moving points agree on.

Legend: N points, 2 coordinates, 4 unknowns.
"""

import numpy as np

# Points are followed to about this; steps of a video turn and scale a picture by little, a radius away.
_NOISE_PX, _TURN_PX = 0.1, 0.1
_ROUNDS = 12
_FEWEST, _LEAST_SHARE = 8, 0.4
_MEDIAN_TO_SIGMA = 1.4826


def similarity(
    before_N2: np.ndarray, after_N2: np.ndarray, radius_px: float, alike_px: float = 0.3
) -> np.ndarray | None:
    """What moves most of the points, by reweighted least squares that begins at the median shift.

    Few points tell a shift better than a turn or a change of size: these are held small unless the points insist.

    Args:
        before_N2, after_N2: the same points in two frames.
        radius_px: of what moves: where a turn is judged.
        alike_px: points that lie within this of where it takes them agree with it.

    Returns:
        (2, 3), from points before to points after; None where too few agree.
    """
    if len(before_N2) < _FEWEST:
        return None
    center_2 = np.median(before_N2, axis=0)
    u_N, v_N = ((before_N2 - center_2) / radius_px).T
    moved_N2 = after_N2 - before_N2
    one_N, none_N = np.ones_like(u_N), np.zeros_like(u_N)
    # Unknown: growth and turn, in pixels a radius away, and the shift of the centre.
    rows_N24 = np.stack(
        [np.stack([u_N, -v_N, one_N, none_N], axis=-1), np.stack([v_N, u_N, none_N, one_N], axis=-1)], axis=1
    )
    held_44 = np.diag([(_NOISE_PX / _TURN_PX) ** 2] * 2 + [1e-9] * 2)
    solved_4 = np.concatenate([[0, 0], np.median(moved_N2, axis=0)])
    for _ in range(_ROUNDS):
        far_N = np.linalg.norm(moved_N2 - rows_N24 @ solved_4, axis=-1)
        noise = max(_NOISE_PX, _MEDIAN_TO_SIGMA * float(np.median(far_N)))
        weight_N = 1 / (1 + np.square(far_N / noise)) ** 2
        weighted_N24 = rows_N24 * weight_N[:, None, None]
        left_44 = np.einsum("nij,nik->jk", weighted_N24, rows_N24) + held_44
        solved_4 = np.linalg.solve(left_44, np.einsum("nij,ni->j", weighted_N24, moved_N2))
    agree_N = np.linalg.norm(moved_N2 - rows_N24 @ solved_4, axis=-1) < alike_px
    if agree_N.sum() < max(_FEWEST, _LEAST_SHARE * len(agree_N)):
        return None
    growth, turn = solved_4[:2] / radius_px
    linear_22 = np.array([[1 + growth, -turn], [turn, 1 + growth]])
    return np.column_stack([linear_22, center_2 + solved_4[2:] - linear_22 @ center_2])


def moved(step: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 2) points under a (2, 3) similarity."""
    return np.asarray(points @ step[:, :2].T + step[:, 2])
