"""Targets: sparse vertex offsets that turn the template into a given shape or expression.

Legend: N moved vertices, V base vertices.
"""

import gzip
import json
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.face_units import ARKIT_UNITS

from dreamactor_signals.body_models.makehuman.base_mesh import DECIMETRE_M
from dreamactor_signals.body_models.makehuman.sources import face_unit_folder, makehuman_folder

# A whole cast needs about two hundred; each is at most 300 kB.
_KEPT_TARGETS = 256


class Target:
    """Offsets of some vertices.

    Attributes:
        vertices: (N,) int64.
        offsets_m: (N, 3) float64.
    """

    def __init__(self, vertices: np.ndarray, offsets_m: np.ndarray) -> None:
        self.vertices = vertices
        self.offsets_m = offsets_m

    def add_to(self, points_m: np.ndarray, weight: float) -> None:
        """Move (V, 3) points in place."""
        points_m[self.vertices] += weight * self.offsets_m


@lru_cache(maxsize=_KEPT_TARGETS)
def read_target(path: Path) -> Target:
    """Read a `.target` or `.target.gz` file: lines of vertex and three offsets in decimetres.

    Raises:
        InputError: missing or malformed.
    """
    try:
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        table = np.array(" ".join(rows).split(), dtype=np.float64).reshape(-1, 4)
    except (OSError, ValueError) as problem:
        raise InputError(f"not a readable target ({problem})", path=path) from problem
    return Target(table[:, 0].astype(np.int64), table[:, 1:] * DECIMETRE_M)


@cache
def face_units() -> tuple[Target | None, ...]:
    """The target of each of `ARKIT_UNITS`; the neutral one has none."""
    folder = face_unit_folder()
    return tuple(None if unit == "_neutral" else read_target(folder / f"{unit}.target") for unit in ARKIT_UNITS)


@cache
def face_details() -> tuple[tuple[Path, Path], ...]:
    """Pairs (decreasing, increasing) of targets that vary a head and face, left and right alike."""
    folder = makehuman_folder() / "targets"
    catalogue = json.loads((folder / "target.json").read_text())
    pairs = []
    for region in ("head", "forehead", "eyebrows", "nose", "mouth", "chin", "neck"):
        for category in catalogue[region]["categories"]:
            names = category.get("opposites", {})
            low, high = names.get("negative-unsided"), names.get("positive-unsided")
            if low and high:
                pairs.append((folder / region / f"{low}.target.gz", folder / region / f"{high}.target.gz"))
    return tuple(pairs)
