"""Still images in and out."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dreamactor_core.errors import DecodeError
from dreamactor_core.files import atomic_path, require_file

MAX_PIXELS = 100_000_000


def read_image(path: Path | str) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB, turned upright by its EXIF orientation, transparency on white.

    Raises:
        InputError: no such file.
        DecodeError: not an image, damaged, or of more than 100 million pixels.
    """
    path = require_file(path)
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DecodeError(
                    f"{image.width}x{image.height} pixels are too many", path=path, remedy="Scale it down"
                )
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as problem:
        raise DecodeError(
            "is not an image that can be read", path=path, remedy="Give a PNG, JPEG or WebP file"
        ) from problem
    white = Image.new("RGBA", upright.size, "white")
    return np.asarray(Image.alpha_composite(white, upright).convert("RGB"))


def write_image(path: Path | str, image: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB as the format of the path's suffix, atomically."""
    with atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary)


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 to width and height `size`, filtered (Lanczos) so that nothing aliases."""
    if (image.shape[1], image.shape[0]) == tuple(size):
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
