"""Pictures to look at: rows of frames side by side, with a caption for each column."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dreamactor_core.image import resize_image, write_image

_GAP = 4
_CAPTION_HEIGHT = 18
_BACKGROUND = 24
_INK = (230, 230, 230)


def tile(images: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Equal-sized (H, W, 3) uint8 images in a grid, filled row by row."""
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), _BACKGROUND, np.uint8)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = row * (height + _GAP), column * (width + _GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def captioned_row(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Pictures (H, W, 3) uint8 of one height side by side, (H + 18, ., 3), each under its caption."""
    return _beside([_with_caption(caption, [image]) for caption, image in columns.items()])


def write_contact_sheet(
    path: Path | str, columns: Mapping[str, Sequence[np.ndarray]], *, rows: int = 6, cell_height: int = 192
) -> None:
    """Write a PNG whose columns are sequences of equal length, sampled at `rows` evenly spaced places.

    Args:
        columns: caption -> images; a column of one image (the reference) is repeated.
    """
    count = max(len(images) for images in columns.values())
    picks = np.unique(np.linspace(0, count - 1, min(rows, count)).round().astype(int))
    strips = [
        _with_caption(caption, [_scaled(images[min(pick, len(images) - 1)], cell_height) for pick in picks])
        for caption, images in columns.items()
    ]
    write_image(path, _beside(strips))


def _scaled(image: np.ndarray, height: int) -> np.ndarray:
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    return resize_image(np.ascontiguousarray(image), (width, height))


def _with_caption(caption: str, images: Sequence[np.ndarray]) -> np.ndarray:
    strip = tile(images, columns=1)
    canvas = Image.new("RGB", (strip.shape[1], strip.shape[0] + _CAPTION_HEIGHT), (_BACKGROUND,) * 3)
    canvas.paste(Image.fromarray(strip), (0, _CAPTION_HEIGHT))
    ImageDraw.Draw(canvas).text((2, 3), caption, fill=_INK)
    return np.asarray(canvas)


def _beside(strips: Sequence[np.ndarray]) -> np.ndarray:
    gap = np.full((strips[0].shape[0], _GAP, 3), _BACKGROUND, np.uint8)
    parts = [part for strip in strips for part in (strip, gap)][:-1]
    return np.concatenate(parts, axis=1)
