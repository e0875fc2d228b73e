"""Pictures as JPEG, each decodable alone: training reads single frames and short windows of random clips.

Decoding a frame of 960x544 takes 2 ms; a video codec has to decode its neighbours too. Colour at half resolution, which
is all that videos have, takes a third less; in a small picture it would blur lips and eyes.

Legend: T frames, H W their size, 3 colours.
"""

from collections.abc import Sequence

import numpy as np
from dreamactor_core.errors import ShardError

from dreamactor_dataset.shards.record import Record


def encode_picture(frame_HW3: np.ndarray, quality: int, *, full_colour: bool) -> bytes:
    """(H, W, 3) uint8 RGB as JPEG."""
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_colour else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(frame_HW3, cv2.COLOR_RGB2BGR), options)
    return bytes(data)


def read_pictures(record: Record, name: str, chosen: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """(T, H, W, 3) uint8 RGB; an empty piece is a black picture.

    Args:
        name: of the record's pieces.
        chosen: which of them.
        size: width and height of all.

    Raises:
        ShardError: one is damaged, missing or of another size.
    """
    import cv2

    pictures_THW3 = np.zeros((len(chosen), size[1], size[0], 3), np.uint8)
    for picture_HW3, data in zip(pictures_THW3, record.pieces(name, chosen), strict=True):
        if len(data) == 0:
            continue
        decoded_HW3 = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        if decoded_HW3 is None or decoded_HW3.shape != picture_HW3.shape:
            raise ShardError(f"{name} holds a picture that is not {size[0]}x{size[1]}", path=record.shard)
        picture_HW3[...] = decoded_HW3
    return pictures_THW3
