"""Training frames made stranger than the clips are: a refiner learns whom to believe on pictures of another kind.

On a photograph a model that learned from synthetic people errs in ways that it does not on these: patches of wrong
colour. And a photograph has colours in places where clips have none. The warp shows the reference's own pixels; where
what was decoded is spoiled, it is to be believed.

Legend: T frames, C channels, H W rows and columns.
"""

from dataclasses import replace

import cv2
import numpy as np

from dreamactor_model.training.refiner.made_clips import MadeClip

# Blotches: how many cells a picture has, from side to side, how strong they are and how hard their edges can be.
_CELLS = (4, 24)
_STRENGTH = (0.1, 0.9)
_HARDNESS, _THRESHOLD = 8.0, (-3.0, 1.0)
_GAIN = (0.7, 1.3)
_NEGATIVE_SHARE = 0.3


def disguise(clip: MadeClip, spoiled_share: float, recoloured_share: float, random: np.random.Generator) -> MadeClip:
    """The clip with some frames spoiled where it was decoded, and some recoloured in all that is shown of them."""
    decoded_THWC, warp_THWC, truth_THWC = clip.decoded_THWC.copy(), clip.warp_THWC.copy(), clip.truth_THWC.copy()
    for frame in range(len(decoded_THWC)):
        if random.random() < spoiled_share:
            decoded_THWC[frame] = _blotched(decoded_THWC[frame], random)
        if random.random() < recoloured_share:
            change = _colour_change(random)
            for video_THWC in (decoded_THWC, warp_THWC, truth_THWC):
                video_THWC[frame] = _recoloured(video_THWC[frame], *change)
    return replace(clip, decoded_THWC=decoded_THWC, warp_THWC=warp_THWC, truth_THWC=truth_THWC)


def _blotched(frame_HWC: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Patches of other colours, soft or with edges."""
    size, cells = frame_HWC.shape[1::-1], int(random.integers(*_CELLS))
    share_HW = cv2.resize(random.random((cells, cells), np.float32), size, interpolation=cv2.INTER_LINEAR)
    if random.random() < 0.5:
        share_HW = 1 / (1 + np.exp(-((share_HW - 0.5) * _HARDNESS + random.uniform(*_THRESHOLD))))
    colour_HWC = cv2.resize(random.random((cells, cells, 3), np.float32), size, interpolation=cv2.INTER_CUBIC) * 255
    share_HW1 = random.uniform(*_STRENGTH) * share_HW[..., None]
    return _as_picture(frame_HWC + share_HW1 * (colour_HWC - frame_HWC))


def _colour_change(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where each channel comes from, and its gain about middle grey; a negative one turns light to dark."""
    gain_C = random.uniform(*_GAIN, size=3) * (-1.0 if random.random() < _NEGATIVE_SHARE else 1.0)
    return random.permutation(3), gain_C


def _recoloured(frame_HWC: np.ndarray, order_C: np.ndarray, gain_C: np.ndarray) -> np.ndarray:
    return _as_picture((frame_HWC[..., order_C] - 127.5) * gain_C + 127.5)


def _as_picture(values_HWC: np.ndarray) -> np.ndarray:
    return values_HWC.round().clip(0, 255).astype(np.uint8)
