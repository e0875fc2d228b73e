"""Which pixels are a person's, as a network sees it that was trained on many photographs of people.

It knows people by their look alone, not by where the skeleton says that they are: of several it marks all.
Legend: H W rows and columns.
"""

from functools import cache

import cv2
import numpy as np

from dreamactor_signals.litert.network import Network
from dreamactor_signals.litert.wheels import body_network

_MODEL = "selfie_segmentation/selfie_segmentation.tflite"
# Around somebody the network wants to see something of what is behind, too: this share of their extent on each side.
_MARGIN = 0.25


def silhouette(image_HWC: np.ndarray, near_HW: np.ndarray) -> np.ndarray:
    """(H, W) float32 in [0, 1], how surely each pixel is a person's; 0 far away from the one who is meant.

    Args:
        image_HWC: uint8.
        near_HW: bool, not all False: where the person may be. Who is small there is looked at closely.

    Raises:
        WeightsError: the wheel that carries the network is not installed.
    """
    window = _window(near_HW)
    share_HW = np.zeros(near_HW.shape, np.float32)
    share_HW[window] = _look(image_HWC[window])
    return share_HW


def _window(near_HW: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around all that is near, about square where the picture lets it be."""
    rows, columns = (np.flatnonzero(near_HW.any(axis=axis)) for axis in (1, 0))
    reach = (0.5 + _MARGIN) * max(np.ptp(rows), np.ptp(columns))
    spans = []
    for found, size in ((rows, near_HW.shape[0]), (columns, near_HW.shape[1])):
        middle = (found[0] + found[-1]) / 2
        spans.append(slice(max(0, int(middle - reach)), min(size, int(np.ceil(middle + reach)) + 1)))
    return spans[0], spans[1]


def _look(image_HWC: np.ndarray) -> np.ndarray:
    network = _network()
    side = network.input_size
    shown_HWC = cv2.resize(image_HWC, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    (answer,) = network(shown_HWC).values()
    return np.asarray(cv2.resize(answer[0, ..., 0], image_HWC.shape[1::-1], interpolation=cv2.INTER_LINEAR))


@cache
def _network() -> Network:
    return Network(body_network(_MODEL))
