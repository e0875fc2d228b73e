"""Hair: a shell over the scalp, a curtain where it falls, and locks over both, so that no edge is a line."""

import numpy as np

from dreamactor_dataset.synthetic.figure.hair.curtain import curtain
from dreamactor_dataset.synthetic.figure.hair.cut import Hair
from dreamactor_dataset.synthetic.figure.hair.knots import bun, ponytail
from dreamactor_dataset.synthetic.figure.hair.locks import locks
from dreamactor_dataset.synthetic.figure.hair.shell import shell
from dreamactor_dataset.synthetic.figure.parts import Part

_FALLING = ("bob", "long")


def hair_parts(hair: Hair, seed: int, *, covered: bool) -> list[Part]:
    """Meshes of a style: none for a bald head. `seed` draws the locks; under a cap there are none."""
    if hair.style == "bald":
        return []
    parts = [shell(hair)]
    if hair.style in _FALLING:
        parts.append(curtain(hair))
    if hair.style == "bun":
        parts.append(bun(hair))
    if hair.style == "ponytail":
        parts.append(ponytail(hair))
    if not covered and (hair.texture != "coily" or hair.style in _FALLING):
        parts.append(locks(hair, np.random.default_rng([seed, 8])))
    return parts
