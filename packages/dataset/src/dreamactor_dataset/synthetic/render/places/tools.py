"""What places are drawn with. Legend: H W pixels, pictures are (H, W, 3) linear light."""

import numpy as np

Colour = np.ndarray


def colour(random: np.random.Generator, low: float, high: float, vivid: float) -> Colour:
    """A linear-light colour of some brightness, greyer where `vivid` is small."""
    hue = random.random(3)
    return (random.uniform(low, high) * (1 - vivid + vivid * hue)) ** 2.2


def box(picture: np.ndarray, left: int, top: int, width: int, height: int, colour: Colour) -> None:
    """Fill a rectangle, as far as it lies in the picture."""
    picture[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = colour


def falloff(random: np.random.Generator, picture: np.ndarray) -> None:
    """Light from one side of the room."""
    width = picture.shape[1]
    shade = np.linspace(1.0, random.uniform(0.55, 1.0), width)
    picture *= (shade if random.random() < 0.5 else shade[::-1])[None, :, None]


def blurred(picture: np.ndarray, share: float) -> np.ndarray:
    """Out of focus: the blur's spread is a share of the width."""
    import cv2

    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), max(0.5, share * picture.shape[1]))
