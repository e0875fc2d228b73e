"""Take out of features what tells of something else, exactly: least-squares concept erasure (Belrose et al. 2023).

Of all linear maps after which no linear probe does better than the mean, this one moves the features least. It only
takes away as many directions as there are things to hide, however they lie; what is independent of them stays readable.
Legend: N samples, C feature width, Y things to hide.
"""

from dataclasses import dataclass

import numpy as np

# Directions with less than this share of the largest spread are rounding errors.
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Erasure:
    """x -> x + (center - x) @ projection.T.

    Attributes:
        projection: (C, C), onto what tells of the hidden things.
        center: (C,) where it stays: the mean of the features.
    """

    projection: np.ndarray
    center: np.ndarray

    @classmethod
    def fit(cls, features_NC: np.ndarray, hidden_NY: np.ndarray) -> "Erasure":
        """The erasure that hides `hidden_NY` in features like these."""
        center = features_NC.mean(axis=0)
        x, y = features_NC - center, hidden_NY - hidden_NY.mean(axis=0)
        y = y / (y.std(axis=0) + 1e-12)
        values, vectors = np.linalg.eigh(x.T @ x / len(x))
        real = values > _LEAST_SPREAD * values.max()
        spread, axes = np.sqrt(values[real]), vectors[:, real]
        # In whitened coordinates the closest map is the orthogonal one.
        told = np.linalg.svd((axes / spread).T @ (x.T @ y) / len(x), full_matrices=False)
        basis = told[0][:, told[1] > _LEAST_SPREAD]
        return cls((axes * spread) @ basis @ basis.T @ (axes / spread).T, center)

    def __call__(self, features_NC: np.ndarray) -> np.ndarray:
        return np.asarray(features_NC + (self.center - features_NC) @ self.projection.T)

    def after(self, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight (C, inputs) and bias (C,) of a linear layer that makes erased features at once."""
        return weight - self.projection @ weight, bias + self.projection @ (self.center - bias)
