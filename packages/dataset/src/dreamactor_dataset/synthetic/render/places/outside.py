"""Open air: hills under a sky, and a street at night, its lamps far out of focus. Legend: H W pixels."""

import numpy as np

from dreamactor_dataset.synthetic.render.places.tools import blurred


def open_air(random: np.random.Generator, height: int, width: int, floor_share: float) -> np.ndarray:
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
    picture = _meadow(random, picture, floor_share) if floor_share < 0.9 else picture
    return blurred(picture, random.uniform(0.004, 0.02))


def _meadow(random: np.random.Generator, picture: np.ndarray, floor_share: float) -> np.ndarray:
    """Grass or sand from where the ground ends to the viewer."""
    height = picture.shape[0]
    tint = np.array(((0.10, 0.18, 0.05), (0.38, 0.32, 0.22), (0.20, 0.20, 0.19))[random.integers(3)])
    near = np.clip((np.arange(height) / height - floor_share) / 0.02, 0, 1)[:, None, None]
    return picture * (1 - near) + near * tint * random.uniform(0.7, 1.5)


def lamps(random: np.random.Generator, height: int, width: int, floor_share: float) -> np.ndarray:
    """Discs of light, as a lens draws lamps that are far away."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    dusk = np.array(((0.02, 0.03, 0.08), (0.06, 0.03, 0.05), (0.03, 0.05, 0.05))[random.integers(3)])
    picture = np.broadcast_to(dusk, (height, width, 3)) * (1 + 1.5 * (1 - y[..., None]))
    picture = np.where((y > floor_share)[..., None], 0.6 * picture, picture)
    warm = np.array(((1.0, 0.6, 0.25), (1.0, 0.85, 0.6), (0.5, 0.7, 1.0), (1.0, 0.3, 0.3), (0.3, 0.9, 0.6)))
    for _ in range(int(random.integers(14, 40))):
        radius = random.uniform(0.012, 0.05)
        away = np.hypot(x - random.uniform(0, 1), y - random.uniform(0.0, min(floor_share, 0.9)))
        disc = np.clip((radius - away) / 0.006, 0, 1)[..., None]
        picture = picture + disc * warm[random.integers(len(warm))] * random.uniform(0.08, 0.5)
    return blurred(picture, 0.004)
