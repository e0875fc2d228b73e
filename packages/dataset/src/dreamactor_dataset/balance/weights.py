"""Shares of framings, categories and sources become weights of sampling (paper 4.1): nothing is copied.

Clips that agree in all three are one stratum and have one weight. The weights are raked: each property in turn is
scaled to its shares until all fit together.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.settings.dataset import BalanceSettings

_ROUNDS = 1000
_TOLERANCE = 1e-6


class Stratum(NamedTuple):
    """What clips of equal weight have in common."""

    framing: str
    category: str
    source: str


def stratum_weights(strata: Sequence[Stratum], counts: np.ndarray, settings: BalanceSettings) -> np.ndarray:
    """(S,) how often a clip of each stratum is shown in an epoch on average; 1 everywhere without shares.

    Args:
        strata: S of them.
        counts: (S,) clips of each.
        settings: shares; those of values that no clip has are left out, and the others keep their proportions.

    Raises:
        InputError: the shares contradict each other, as when all of a category's clips have a framing with less share.
    """
    targets = [target for name in Stratum._fields if (target := _target(name, strata, counts, getattr(settings, name)))]
    mass = counts / counts.sum()
    for _ in range(_ROUNDS):
        worst = 0.0
        for codes, shares in targets:
            found = np.bincount(codes, mass, len(shares))
            worst = max(worst, float(np.abs(found - shares).max()))
            mass = mass * np.where(found > 0, shares / np.where(found > 0, found, 1), 0)[codes]
        if worst < _TOLERANCE:
            break
    else:
        raise InputError(
            "the shares of dataset.balance cannot all be met with these clips",
            remedy="Lower one of them, or add clips that have both properties",
        )
    weights: np.ndarray = np.where(counts > 0, mass / np.maximum(counts, 1), 0) * counts.sum()
    return weights


def _target(
    name: str, strata: Sequence[Stratum], counts: np.ndarray, shares: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray] | None:
    """The value of each stratum as a number, the last one for all that have no share; and the share of each number."""
    values = [getattr(stratum, name) for stratum in strata]
    present = {value for value, count in zip(values, counts, strict=True) if count > 0}
    known = [value for value in shares if value in present]
    if not known:
        return None
    codes = np.array([known.index(value) if value in known else len(known) for value in values])
    rest = 1 - sum(shares.values()) if present - set(known) else 0.0
    wanted = np.array([*(shares[value] for value in known), rest])
    return codes, wanted / wanted.sum()
