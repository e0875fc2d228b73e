"""The person to be animated: reference images on one canvas, and the pose of the first.

Legend: R references, H W canvas.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.image import read_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_dataset.fitting import Fit, bucket_size
from dreamactor_signals.trackers import Tracker

# A still image has no rate; trackers want one for their smoothing.
_STILL_FPS = Fraction(25)


@dataclass(frozen=True)
class Subject:
    """References on the canvas that the video will have.

    Attributes:
        images_RHWC: (R, H, W, 3) uint8.
        track: one frame, the pose of the first reference, in canvas pixels.
        size: width and height of the canvas.
    """

    images_RHWC: np.ndarray
    track: MotionTrack
    size: tuple[int, int]


def read_subject(paths: Sequence[Path], tracker: Tracker, *, area: int) -> Subject:
    """Read the references; the first sets aspect and pose.

    Args:
        area: pixels of the canvas.

    Raises:
        InputError, DecodeError: a file that is no image, or a first reference without a person.
    """
    images = [read_image(path) for path in paths]
    first = images[0]
    size = bucket_size(first.shape[1], first.shape[0], area)
    fits = [Fit.cover((image.shape[1], image.shape[0]), size) for image in images]
    canvas_RHWC = np.concatenate([fit.frames(image[None]) for fit, image in zip(fits, images, strict=True)])
    return Subject(canvas_RHWC, fits[0].track(_still_track(first, paths[0], tracker)), size)


def _still_track(image_HWC: np.ndarray, path: Path, tracker: Tracker) -> MotionTrack:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        return tracker.track([image_HWC], _STILL_FPS, (image_HWC.shape[1], image_HWC.shape[0]), digest)
    except InputError as problem:
        raise InputError(problem.problem, path=path, remedy="Give an image that shows one person") from problem
