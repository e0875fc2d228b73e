"""How what is seen on a flat part goes beyond its bone: sleeves that slide, trunks that turn, bellies that breathe.

Legend: 2 coordinates of a part (`flat.Flat`), s along the bone and t across, K terms of a polynomial in them.
"""

import numpy as np

# Beyond these a part's picture goes with its rim.
_ALONG, _ACROSS = (-0.4, 1.4), (-1.5, 1.5)
# Motions are small: this often, and their polynomials are as good as inverted.
_ROUNDS = 3


def terms(seen_st: np.ndarray) -> np.ndarray:
    """(..., K) of where something is seen (..., 2): 1, s, t, s s, s t, t t."""
    along, across = seen_st[..., 0].clip(*_ALONG), seen_st[..., 1].clip(*_ACROSS)
    return np.stack([np.ones_like(along), along, across, along * along, along * across, across * across], axis=-1)


def resting(seen_st: np.ndarray, motion_2K: np.ndarray | None) -> np.ndarray:
    """(..., 2) where what is seen rests; None moves nothing."""
    return seen_st if motion_2K is None else seen_st + terms(seen_st) @ motion_2K.T


def shown(resting_st: np.ndarray, motion_2K: np.ndarray | None) -> np.ndarray:
    """(..., 2) where what rests is seen."""
    if motion_2K is None:
        return resting_st
    seen_st = resting_st
    for _ in range(_ROUNDS):
        seen_st = resting_st - terms(seen_st) @ motion_2K.T
    return seen_st
