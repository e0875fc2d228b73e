"""The average face in the coordinates of the head: what landmarks are laid upon, and what is drawn for the head.

Measured on synthetic people, whose heads are known exactly, by `python -m benchmarks.signals_parts.calibrate_head`.

Legend: V vertices, U face units.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import load_tensors

AVERAGE_FACE_FILE = Path(__file__).with_suffix(".safetensors")


@dataclass(frozen=True)
class AverageFace:
    """A face of average shape on a skull of average size.

    Attributes:
        points_head_m: (V, 3) the landmark network's points, from the centre of the skull.
        skull_radius_m: of its sphere.
        unit_offsets_m: (U, 3V) what each face unit adds to the points.
    """

    points_head_m: np.ndarray
    skull_radius_m: float
    unit_offsets_m: np.ndarray


@cache
def average_face() -> AverageFace:
    """The face that ships with the package.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    tensors, _ = load_tensors(AVERAGE_FACE_FILE, error=WeightsError)
    points_head_m, offsets_m = (tensors[name].astype(np.float64) for name in ("points_head_m", "unit_offsets_m"))
    return AverageFace(points_head_m, float(tensors["skull_radius_m"][0]), offsets_m)
