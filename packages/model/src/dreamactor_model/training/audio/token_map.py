"""What token belongs to an expression, whoever shows it: face units -> the mean face motion token over people.

Rendering every frame of every sentence on many people would cost hours and show the same lips over and over. A few
hundred faces are enough to learn the map: kernel ridge regression, whose prediction is the mean over whatever else a
token may tell (who, pose, light), which is what speech cannot know.

Legend: K faces, N queries, U face units, C width of a token.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

_REACHES = (0.5, 1.0, 2.0, 4.0)
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True)
class TokenMap:
    """Fitted: `map(units)`.

    Attributes:
        units_KU, weights_KC, mean_C: of the regression.
        reach: distance in units over which expressions resemble each other.
        unexplained: share of the variance of tokens that it does not tell on people it was not fitted to.
    """

    units_KU: np.ndarray
    weights_KC: np.ndarray
    mean_C: np.ndarray
    reach: float
    unexplained: float

    def __call__(self, units_NU: np.ndarray) -> np.ndarray:
        """(N, C) float32 tokens of units (N, U)."""
        kernel_NK = _kernel(np.asarray(units_NU, np.float64), self.units_KU, self.reach)
        return np.asarray(kernel_NK @ self.weights_KC + self.mean_C, np.float32)


def fit_token_map(units_KU: np.ndarray, tokens_KC: np.ndarray, person_K: np.ndarray) -> TokenMap:
    """Fit on faces of several people; reach and smoothness are those that serve people who are left out best."""
    units, tokens = units_KU.astype(np.float64), tokens_KC.astype(np.float64)
    # Every other person: two halves judge each other.
    half_K = person_K % 2 == 0
    errors = {
        (reach, ridge): _error(units, tokens, half_K, reach, ridge) + _error(units, tokens, ~half_K, reach, ridge)
        for reach, ridge in product(_REACHES, _RIDGES)
    }
    reach, ridge = min(errors, key=lambda choice: errors[choice])
    weights, mean = _solve(units, tokens, reach, ridge)
    return TokenMap(units, weights, mean, reach, errors[reach, ridge] / 2)


def _error(units: np.ndarray, tokens: np.ndarray, fitted_K: np.ndarray, reach: float, ridge: float) -> float:
    """Unexplained share of how the tokens vary among the faces that are not fitted to."""
    weights, mean = _solve(units[fitted_K], tokens[fitted_K], reach, ridge)
    wanted = tokens[~fitted_K]
    wrong = _kernel(units[~fitted_K], units[fitted_K], reach) @ weights + mean - wanted
    return float(wrong.var(axis=0).sum() / wanted.var(axis=0).sum())


def _solve(units: np.ndarray, tokens: np.ndarray, reach: float, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    mean = tokens.mean(axis=0)
    kernel = _kernel(units, units, reach)
    return np.linalg.solve(kernel + ridge * np.eye(len(units)), tokens - mean), mean


def _kernel(a_NU: np.ndarray, b_KU: np.ndarray, reach: float) -> np.ndarray:
    """Linear part, which reaches everywhere, and a Gaussian one for what bends."""
    squares = np.square(a_NU).sum(axis=1)[:, None] + np.square(b_KU).sum(axis=1) - 2 * a_NU @ b_KU.T
    return a_NU @ b_KU.T + np.exp(-np.maximum(squares, 0) / (2 * reach**2))
