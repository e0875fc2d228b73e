"""Rooms out of focus: a wall, a floor, furniture, a window. Legend: H W pixels."""

import numpy as np

from dreamactor_dataset.synthetic.render.places.tools import blurred, box, colour, falloff


def room(random: np.random.Generator, height: int, width: int, floor_share: float) -> np.ndarray:
    """A wall, a floor, furniture and a window as flat shapes, blurred as by a lens."""
    picture = np.empty((height, width, 3))
    picture[:] = colour(random, 0.35, 0.9, 0.35)
    floor = int(height * np.clip(floor_share, 0.05, 2.0))
    picture[floor:] = colour(random, 0.2, 0.6, 0.4)
    picture[floor : floor + max(1, height // 60)] *= 0.6
    for _ in range(random.integers(1, 4)):
        _frame_on_wall(random, picture, floor)
    if random.random() < 0.5:
        _window(random, picture)
    if random.random() < 0.6:
        _shelf(random, picture, floor)
    if random.random() < 0.4:
        _plant(random, picture, floor)
    falloff(random, picture)
    return blurred(picture, random.uniform(0.002, 0.018))


def _frame_on_wall(random: np.random.Generator, picture: np.ndarray, floor: int) -> None:
    height, width = picture.shape[:2]
    left, top = int(random.uniform(-0.1, 0.9) * width), int(random.uniform(0.0, 0.5) * height)
    w, h = int(random.uniform(0.08, 0.3) * width), int(random.uniform(0.1, 0.3) * height)
    border = max(1, width // 80)
    box(picture, left, top, w, min(h, floor - top), colour(random, 0.1, 0.5, 0.3))
    box(
        picture,
        left + border,
        top + border,
        w - 2 * border,
        min(h, floor - top) - 2 * border,
        colour(random, 0.3, 0.95, 0.8),
    )


def _window(random: np.random.Generator, picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    left, top = int(random.uniform(-0.1, 0.8) * width), int(random.uniform(0.02, 0.2) * height)
    w, h = int(random.uniform(0.2, 0.4) * width), int(random.uniform(0.35, 0.6) * height)
    bar = max(1, width // 50)
    box(picture, left - bar, top - bar, w + 2 * bar, h + 2 * bar, colour(random, 0.7, 0.95, 0.1))
    sky = np.array((0.75, 0.85, 1.0)) * random.uniform(0.6, 1.1)
    box(picture, left, top, w, h, sky)
    box(picture, left + w // 2 - bar // 2, top, bar, h, colour(random, 0.7, 0.95, 0.1))
    box(picture, left, top + int(0.7 * h), w, h - int(0.7 * h), colour(random, 0.3, 0.6, 0.5) * (0.6, 1.0, 0.6))


def _shelf(random: np.random.Generator, picture: np.ndarray, floor: int) -> None:
    height, width = picture.shape[:2]
    left, w = int(random.uniform(-0.1, 0.75) * width), int(random.uniform(0.25, 0.5) * width)
    top, rows = int(random.uniform(0.05, 0.4) * height), int(random.integers(2, 5))
    pitch = (floor - top) // rows
    wood = colour(random, 0.2, 0.6, 0.3) * (1.0, 0.8, 0.6)
    box(picture, left, top, w, floor - top, 0.4 * wood)
    for row in range(rows):
        base = top + (row + 1) * pitch
        at = left + width // 100
        while at < left + w - width // 40:
            thick = int(width * random.uniform(0.008, 0.03)) + 1
            tall = int(pitch * random.uniform(0.45, 0.85))
            if random.random() < 0.85:
                box(picture, at, base - tall, thick, tall, colour(random, 0.15, 0.8, 0.8))
            at += thick + 1
        box(picture, left, base, w, max(1, height // 70), wood)


def _plant(random: np.random.Generator, picture: np.ndarray, floor: int) -> None:
    height, width = picture.shape[:2]
    x, y = random.uniform(0.05, 0.95) * width, floor - random.uniform(0.15, 0.4) * height
    rows, columns = np.mgrid[0:height, 0:width]
    for _ in range(28):
        cx, cy = x + random.normal(0, 0.06) * width, y + random.normal(0, 0.08) * height
        long, narrow = random.uniform(0.02, 0.05) * width, random.uniform(0.006, 0.015) * width
        angle = random.uniform(0, np.pi)
        along = (columns - cx) * np.cos(angle) + (rows - cy) * np.sin(angle)
        across = -(columns - cx) * np.sin(angle) + (rows - cy) * np.cos(angle)
        leaf = (along / long) ** 2 + (across / narrow) ** 2 < 1
        picture[leaf] = np.array((0.03, 0.10, 0.03)) * random.uniform(0.6, 2.2)
