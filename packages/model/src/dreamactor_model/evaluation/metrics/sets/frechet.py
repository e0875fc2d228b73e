"""The Frechet distance of two Gaussians that were fitted to features, without a matrix square root.

d = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2). With S1 = A^T A and S2 = B^T B, the last trace is the sum of the
singular values of A B^T: for few samples that matrix is small. For many, it is the sum of the roots of the eigenvalues
of L^T S2 L, which is symmetric, with S1 = L L^T.

Legend: N M samples, C feature width.
"""

import numpy as np
from scipy import linalg


def frechet_distance(first_NC: np.ndarray, second_MC: np.ndarray) -> float:
    """Of the Gaussians of two sets of features (unbiased covariances).

    Raises:
        ValueError: fewer than two samples on a side, or features of different widths.
    """
    if min(len(first_NC), len(second_MC)) < 2 or first_NC.shape[1] != second_MC.shape[1]:
        raise ValueError(f"no distance between features {first_NC.shape} and {second_MC.shape}")
    first_C, second_C = first_NC.mean(axis=0, dtype=np.float64), second_MC.mean(axis=0, dtype=np.float64)
    a_NC = (first_NC - first_C) / np.sqrt(len(first_NC) - 1)
    b_MC = (second_MC - second_C) / np.sqrt(len(second_MC) - 1)
    few = min(len(a_NC), len(b_MC)) <= a_NC.shape[1] // 2
    root = _root_by_samples(a_NC, b_MC) if few else _root_by_covariances(a_NC, b_MC)
    spread = np.square(a_NC).sum() + np.square(b_MC).sum()
    # Of equal sets rounding may leave a little less than nothing.
    return max(float(np.square(first_C - second_C).sum() + spread - 2 * root), 0.0)


def _root_by_samples(a_NC: np.ndarray, b_MC: np.ndarray) -> float:
    return float(linalg.svdvals(a_NC @ b_MC.T).sum())


def _root_by_covariances(a_NC: np.ndarray, b_MC: np.ndarray) -> float:
    lower_CC = _factor(a_NC.T @ a_NC)
    product_CC = lower_CC.T @ (b_MC.T @ b_MC) @ lower_CC
    return float(np.sqrt(linalg.eigvalsh(product_CC, overwrite_a=True).clip(min=0)).sum())


def _factor(covariance_CC: np.ndarray) -> np.ndarray:
    """L with S = L L^T; a singular S has no Cholesky factor, but eigenvectors."""
    try:
        return np.asarray(linalg.cholesky(covariance_CC, lower=True))
    except linalg.LinAlgError:
        values_C, vectors_CC = linalg.eigh(covariance_CC)
        return np.asarray(vectors_CC * np.sqrt(values_C.clip(min=0)))
