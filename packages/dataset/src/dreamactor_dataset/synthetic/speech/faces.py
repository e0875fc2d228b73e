"""What a face encoder gets to see of an expression: the same units on people of all kinds, calmly held and well lit.

Legend: K faces, U face units, S side of a crop in pixels.
"""

from functools import partial
from pathlib import Path

import numpy as np
from dreamactor_core.process_map import map_in_workers
from dreamactor_signals.faces.crops import CROP_PX

from dreamactor_dataset.synthetic.faces.close_up import Pose, Sitter
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity

# How speakers hold their heads: deviations of yaw, pitch and roll.
_POSE_RAD = np.radians((12.0, 6.0, 4.0))
_DISTANCE_M = (0.8, 2.0)


def photograph_units(
    units_KU: np.ndarray, *, people: int, seed: int, processes: int, folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Crops (K, S, S, 3) uint8 of faces that show the units (K, U), and who shows each (K,).

    The people take turns; head, light and background are drawn anew for every face. Equal arguments give equal pixels.

    Args:
        people: how many identities; those of another seed are others.
        processes: rendering workers.
        folder: what is being made, for messages.
    """
    jobs = [(person, units_KU[person::people]) for person in range(min(people, len(units_KU)))]
    crops_KSS3 = np.empty((len(units_KU), CROP_PX, CROP_PX, 3), np.uint8)
    for person, crops in map_in_workers(partial(_photograph, seed), jobs, processes, folder):
        crops_KSS3[person::people] = crops
    return crops_KSS3, np.arange(len(units_KU)) % people


def _photograph(seed: int, job: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
    person, units_KU = job
    sitter = Sitter(build_figure(make_identity(seed, person)), CROP_PX, margin=1.0)
    randoms = [np.random.default_rng([seed, person, number, 7]) for number in range(len(units_KU))]
    poses = [_draw_pose(random) for random in randoms]
    shots = sitter.photograph(poses, units_KU.astype(np.float64), randoms)
    return person, np.stack([shot.image for shot in shots])


def _draw_pose(random: np.random.Generator) -> Pose:
    yaw, pitch, roll = random.normal(0, _POSE_RAD)
    return Pose(yaw, pitch, roll, neck_share=1.0, distance_m=float(random.uniform(*_DISTANCE_M)))
