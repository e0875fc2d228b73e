"""Light: one key with shadows, one fill, the sky from above, the ground from below."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lights:
    """Attributes: directions towards the lights (3,), camera axes, unit; colours (3,), linear light.

    key and fill are lamps, sky and ground come from all around above and below.
    """

    key_direction: np.ndarray
    key: np.ndarray
    fill_direction: np.ndarray
    fill: np.ndarray
    sky: np.ndarray
    ground: np.ndarray


def make_lights(random: np.random.Generator) -> Lights:
    """Lights of a scene: key from one side and above, fill from the other."""
    side = random.choice((-1.0, 1.0))
    warmth = random.uniform(-1, 1)
    warm = np.array((1 + 0.10 * warmth, 1.0, 1 - 0.12 * warmth))
    key_strength, ambient = random.uniform(1.6, 2.5), random.uniform(0.32, 0.6)
    return Lights(
        key_direction=_direction(side * random.uniform(0.25, 0.95), random.uniform(0.25, 0.8)),
        key=key_strength * warm,
        fill_direction=_direction(-side * random.uniform(0.5, 1.1), random.uniform(0.0, 0.4)),
        fill=random.uniform(0.25, 0.6) * warm[::-1],
        sky=ambient * np.array((0.95, 1.0, 1.08)),
        ground=0.6 * ambient * warm,
    )


def _direction(azimuth_rad: float, elevation_rad: float) -> np.ndarray:
    """Towards a light, camera axes: azimuth 0 is behind the camera, positive to the image's right."""
    level = np.cos(elevation_rad)
    return np.array((np.sin(azimuth_rad) * level, -np.sin(elevation_rad), -np.cos(azimuth_rad) * level))
