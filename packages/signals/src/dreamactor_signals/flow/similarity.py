"""The one similarity of the plane that most of many moving points agree on.

Legend: N points, 2 coordinates, 4 unknowns.
"""

import numpy as np

from dreamactor_signals.flow.agreement import agreed

# Steps of a video turn and scale a picture by little, a radius away.
_USUAL_4 = np.array([0.1, 0.1, np.inf, np.inf])


def similarity(
    before_N2: np.ndarray, after_N2: np.ndarray, radius_px: float, alike_px: float = 0.3
) -> np.ndarray | None:
    """What moves most of the points.

    Few points tell a shift better than a turn or a change of size: these are held small unless the points insist.

    Args:
        before_N2, after_N2: the same points in two frames.
        radius_px: of what moves: where a turn is judged.
        alike_px: points that lie within this of where it takes them agree with it.

    Returns:
        (2, 3), from points before to points after; None where too few agree.
    """
    if len(before_N2) == 0:
        return None
    center_2 = np.median(before_N2, axis=0)
    u_N, v_N = ((before_N2 - center_2) / radius_px).T
    one_N, none_N = np.ones_like(u_N), np.zeros_like(u_N)
    # Unknown: growth and turn, in pixels a radius away, and the shift of the centre.
    rows_N24 = np.stack(
        [np.stack([u_N, -v_N, one_N, none_N], axis=-1), np.stack([v_N, u_N, none_N, one_N], axis=-1)], axis=1
    )
    solved_4 = agreed(rows_N24, after_N2 - before_N2, _USUAL_4, alike_px)
    if solved_4 is None:
        return None
    growth, turn = solved_4[:2] / radius_px
    linear_22 = np.array([[1 + growth, -turn], [turn, 1 + growth]])
    return np.column_stack([linear_22, center_2 + solved_4[2:] - linear_22 @ center_2])


def moved(step: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 2) points under a (2, 3) similarity."""
    return np.asarray(points @ step[:, :2].T + step[:, 2])
