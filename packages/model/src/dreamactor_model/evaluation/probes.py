"""What features tell, measured from outside: linear probes and retrieval.

Legend: N samples, C feature width, Y targets.
"""

import numpy as np

# Of the features' variance: enough to keep a probe of few samples tame, nothing where there are many.
_RIDGE = 1e-2


def ridge_r2(
    train_NC: np.ndarray, train_NY: np.ndarray, test_NC: np.ndarray, test_NY: np.ndarray, ridge: float = _RIDGE
) -> np.ndarray:
    """(Y,) R2 on test samples of a linear map fitted by ridge regression on training samples.

    The share of a target's variance about its test mean that is explained; below 0 where guessing the mean is better,
    NaN where the target does not vary.
    """
    x, x_test = _standardised(train_NC, test_NC)
    mean_Y = train_NY.mean(axis=0)
    gram = x.T @ x / len(x) + ridge * np.eye(x.shape[1])
    weights_CY = np.linalg.solve(gram, x.T @ (train_NY - mean_Y) / len(x))
    return _r2(x_test @ weights_CY + mean_Y, test_NY)


def neighbours_r2(
    train_NC: np.ndarray, train_NY: np.ndarray, test_NC: np.ndarray, test_NY: np.ndarray, neighbours: int = 16
) -> np.ndarray:
    """(Y,) R2 of the mean over each test sample's nearest training samples: a probe that need not be linear."""
    x, x_test = _standardised(train_NC, test_NC)
    distance = (x**2).sum(axis=1) - 2 * x_test @ x.T
    neighbours = min(neighbours, len(x))
    nearest = np.argpartition(distance, neighbours - 1, axis=1)[:, :neighbours]
    return _r2(train_NY[nearest].mean(axis=1), test_NY)


def _standardised(train_NC: np.ndarray, test_NC: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean_C, spread_C = train_NC.mean(axis=0), train_NC.std(axis=0) + 1e-8
    return (train_NC - mean_C) / spread_C, (test_NC - mean_C) / spread_C


def _r2(guess_NY: np.ndarray, truth_NY: np.ndarray) -> np.ndarray:
    missed_Y = ((guess_NY - truth_NY) ** 2).sum(axis=0)
    varied_Y = ((truth_NY - truth_NY.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(1 - missed_Y / np.where(varied_Y > 0, varied_Y, np.nan))


def retrieval(features_NC: np.ndarray, label_N: np.ndarray, apart_N: np.ndarray) -> tuple[float, float]:
    """How often the nearest neighbour by cosine, after standardisation, has a query's label; and how often by chance.

    Args:
        label_N: what should not (or should) be found again, e.g. the person.
        apart_N: samples equal in this, e.g. in expression, are no candidates for each other; nor is a query itself.

    Returns:
        Top-1 rate, and the mean share of the candidates that bear the query's label.
    """
    x = (features_NC - features_NC.mean(axis=0)) / (features_NC.std(axis=0) + 1e-8)
    x /= np.linalg.norm(x, axis=1, keepdims=True) + 1e-12
    candidate_NN = apart_N[:, None] != apart_N[None, :]
    np.fill_diagonal(candidate_NN, False)
    same_NN = label_N[:, None] == label_N[None, :]
    asked = candidate_NN.any(axis=1)
    nearest = np.where(candidate_NN, x @ x.T, -np.inf).argmax(axis=1)
    found = same_NN[np.arange(len(x)), nearest][asked]
    chance = (same_NN & candidate_NN).sum(axis=1)[asked] / candidate_NN.sum(axis=1)[asked]
    return float(found.mean()), float(chance.mean())
