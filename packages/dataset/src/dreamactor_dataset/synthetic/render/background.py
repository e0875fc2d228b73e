"""What is behind a person: backdrops, rooms out of focus, walls, open air, lamps at night.

Legend: H W pixels.
"""

from collections.abc import Callable

import numpy as np

from dreamactor_dataset.synthetic.render.places.outside import lamps, open_air
from dreamactor_dataset.synthetic.render.places.room import room
from dreamactor_dataset.synthetic.render.places.walls import studio, wall

_Kind = Callable[[np.random.Generator, int, int, float], np.ndarray]


def make_background(random: np.random.Generator, height: int, width: int, floor: float | None = None) -> np.ndarray:
    """(H, W, 3) float32 linear light; half of them rooms.

    Args:
        floor: where the floor ends, in heights from above; None: anywhere.
    """
    kinds: tuple[_Kind, ...] = (studio, room, open_air, lamps, wall)
    kind = kinds[random.choice(len(kinds), p=(0.2, 0.38, 0.15, 0.1, 0.17))]
    place = float(random.uniform(0.68, 0.95)) if floor is None else floor
    return np.clip(kind(random, height, width, place), 0.0, 1.2).astype(np.float32)
