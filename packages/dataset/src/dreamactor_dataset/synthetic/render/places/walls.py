"""Walls: a paper backdrop, and bricks, tiles, boards or a curtain. Legend: H W pixels."""

import numpy as np

from dreamactor_dataset.synthetic.render.places.tools import blurred, colour, falloff


def studio(random: np.random.Generator, height: int, width: int, floor_share: float) -> np.ndarray:
    """A paper backdrop, lit from one side, darker to the edges."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    start, end = colour(random, 0.2, 0.95, 0.5), colour(random, 0.2, 0.95, 0.5)
    angle = random.uniform(0, 2 * np.pi)
    along = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1)[..., None]
    glow = 1 - random.uniform(0.0, 0.9) * ((x - random.uniform(0.3, 0.7)) ** 2 + (y - 0.4) ** 2)[..., None]
    # Paper that runs on over the floor: only a little darker there.
    shade = 1 - 0.12 * np.clip((np.arange(height) / height - floor_share) / 0.05, 0, 1)[:, None, None]
    return (start + along * (end - start)) * glow * shade


def wall(random: np.random.Generator, height: int, width: int, floor_share: float) -> np.ndarray:
    """A wall of one material, with a floor before it."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    materials = (_bricks, _boards, _curtain)
    relief = materials[random.integers(len(materials))](random, x, y)
    grain = random.standard_normal((height // 4 + 1, width // 4 + 1)).repeat(4, axis=0).repeat(4, axis=1)
    picture = colour(random, 0.3, 0.9, 0.45) * (relief * (1 + 0.04 * grain[:height, :width]))[..., None]
    floor = int(height * np.clip(floor_share, 0.05, 2.0))
    picture[floor:] = colour(random, 0.2, 0.6, 0.35)
    falloff(random, picture)
    return blurred(picture, random.uniform(0.001, 0.008))


def _bricks(random: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bricks or tiles, each of its own tone."""
    rows = random.uniform(9, 26)
    long, stagger = random.uniform(0.8, 2.6), random.choice((0.0, 0.5))
    row = np.floor(rows * y)
    column = rows * x / long + stagger * (row % 2)
    joint = np.minimum(np.mod(rows * y, 1), np.mod(column, 1) * long) < 0.07
    tone = 1 + 0.14 * np.sin(12.9898 * row + 78.233 * np.floor(column))
    return np.where(joint, random.uniform(0.55, 1.35), tone)


def _boards(random: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    boards = random.uniform(5, 14)
    along, across = (x, y) if random.random() < 0.5 else (y, x)
    number = np.floor(boards * across)
    fibre = np.sin(60 * across + 3 * np.sin(4 * along + 2 * number)) * 0.06
    return np.where(np.mod(boards * across, 1) < 0.03, 0.4, 1 + 0.12 * np.sin(7.3 * number) + fibre)


def _curtain(random: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    folds = random.uniform(8, 18)
    return 0.75 + 0.3 * np.sin(2 * np.pi * folds * x + 0.8 * np.sin(9 * x) + 0.3 * y)
