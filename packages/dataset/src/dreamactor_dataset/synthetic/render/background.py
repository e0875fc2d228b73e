"""What is behind a person: plain and graded walls, rooms out of focus, open air.

Legend: H W pixels.
"""

from collections.abc import Callable

import numpy as np

Colour = np.ndarray


def make_background(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(H, W, 3) float32 linear light; half of them rooms."""
    kinds: tuple[Callable[[np.random.Generator, int, int], np.ndarray], ...] = (_studio, _room, _open_air)
    kind = kinds[random.choice(len(kinds), p=(0.3, 0.5, 0.2))]
    return np.clip(kind(random, height, width), 0.0, 1.2).astype(np.float32)


def _colour(random: np.random.Generator, low: float, high: float, vivid: float) -> Colour:
    """A linear-light colour of some brightness, greyer where `vivid` is small."""
    hue = random.random(3)
    return (random.uniform(low, high) * (1 - vivid + vivid * hue)) ** 2.2


def _studio(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A paper backdrop, lit from one side, darker to the edges."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    start, end = _colour(random, 0.2, 0.95, 0.5), _colour(random, 0.2, 0.95, 0.5)
    angle = random.uniform(0, 2 * np.pi)
    along = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1)[..., None]
    glow = 1 - random.uniform(0.0, 0.9) * ((x - random.uniform(0.3, 0.7)) ** 2 + (y - 0.4) ** 2)[..., None]
    return (start + along * (end - start)) * glow


def _room(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A wall, a floor, furniture and a window as flat shapes, blurred as by a lens."""
    picture = np.empty((height, width, 3))
    picture[:] = _colour(random, 0.35, 0.9, 0.35)
    floor = int(height * random.uniform(0.68, 0.95))
    picture[floor:] = _colour(random, 0.2, 0.6, 0.4)
    picture[floor : floor + max(1, height // 60)] *= 0.6
    for _ in range(random.integers(1, 4)):
        _frame_on_wall(random, picture, floor)
    if random.random() < 0.5:
        _window(random, picture)
    if random.random() < 0.6:
        _shelf(random, picture, floor)
    if random.random() < 0.4:
        _plant(random, picture, floor)
    _falloff(random, picture)
    return _blurred(picture, random.uniform(0.002, 0.018))


def _frame_on_wall(random: np.random.Generator, picture: np.ndarray, floor: int) -> None:
    height, width = picture.shape[:2]
    left, top = int(random.uniform(-0.1, 0.9) * width), int(random.uniform(0.0, 0.5) * height)
    w, h = int(random.uniform(0.08, 0.3) * width), int(random.uniform(0.1, 0.3) * height)
    border = max(1, width // 80)
    _box(picture, left, top, w, min(h, floor - top), _colour(random, 0.1, 0.5, 0.3))
    _box(
        picture,
        left + border,
        top + border,
        w - 2 * border,
        min(h, floor - top) - 2 * border,
        _colour(random, 0.3, 0.95, 0.8),
    )


def _window(random: np.random.Generator, picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    left, top = int(random.uniform(-0.1, 0.8) * width), int(random.uniform(0.02, 0.2) * height)
    w, h = int(random.uniform(0.2, 0.4) * width), int(random.uniform(0.35, 0.6) * height)
    bar = max(1, width // 50)
    _box(picture, left - bar, top - bar, w + 2 * bar, h + 2 * bar, _colour(random, 0.7, 0.95, 0.1))
    sky = np.array((0.75, 0.85, 1.0)) * random.uniform(0.6, 1.1)
    _box(picture, left, top, w, h, sky)
    _box(picture, left + w // 2 - bar // 2, top, bar, h, _colour(random, 0.7, 0.95, 0.1))
    _box(picture, left, top + int(0.7 * h), w, h - int(0.7 * h), _colour(random, 0.3, 0.6, 0.5) * (0.6, 1.0, 0.6))


def _shelf(random: np.random.Generator, picture: np.ndarray, floor: int) -> None:
    height, width = picture.shape[:2]
    left, w = int(random.uniform(-0.1, 0.75) * width), int(random.uniform(0.25, 0.5) * width)
    top, rows = int(random.uniform(0.05, 0.4) * height), int(random.integers(2, 5))
    pitch = (floor - top) // rows
    wood = _colour(random, 0.2, 0.6, 0.3) * (1.0, 0.8, 0.6)
    _box(picture, left, top, w, floor - top, 0.4 * wood)
    for row in range(rows):
        base = top + (row + 1) * pitch
        at = left + width // 100
        while at < left + w - width // 40:
            thick = int(width * random.uniform(0.008, 0.03)) + 1
            tall = int(pitch * random.uniform(0.45, 0.85))
            if random.random() < 0.85:
                _box(picture, at, base - tall, thick, tall, _colour(random, 0.15, 0.8, 0.8))
            at += thick + 1
        _box(picture, left, base, w, max(1, height // 70), wood)


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


def _open_air(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Sky over hills and bushes, far out of focus."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    top, low = np.array((0.25, 0.45, 0.85)), np.array((0.75, 0.85, 0.95))
    picture = (top + np.clip(y * 1.4, 0, 1)[..., None] * (low - top)) * random.uniform(0.5, 1.0)
    for layer in range(4):
        ridge = 0.45 + 0.13 * layer + random.uniform(-0.05, 0.05)
        for octave in (1, 2, 5, 11):
            ridge = ridge + 0.05 / octave * np.sin(2 * np.pi * octave * x + random.uniform(0, 6.28))
        near = (layer + 1) / 4
        green = np.array((0.10, 0.20, 0.06)) * random.uniform(0.6, 1.6) * (1.2 - 0.6 * near) + (1 - near) * 0.12
        picture = np.where((y > ridge)[..., None], green, picture)
    grain = random.standard_normal((height // 8 + 1, width // 8 + 1)).repeat(8, axis=0).repeat(8, axis=1)
    picture = picture * (1 + 0.15 * grain[:height, :width, None] * (y > 0.5)[..., None])
    return _blurred(picture, random.uniform(0.008, 0.03))


def _box(picture: np.ndarray, left: int, top: int, width: int, height: int, colour: Colour) -> None:
    picture[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = colour


def _falloff(random: np.random.Generator, picture: np.ndarray) -> None:
    """Light from one side of the room."""
    width = picture.shape[1]
    shade = np.linspace(1.0, random.uniform(0.55, 1.0), width)
    picture *= (shade if random.random() < 0.5 else shade[::-1])[None, :, None]


def _blurred(picture: np.ndarray, share: float) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), max(0.5, share * picture.shape[1]))
