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
from dreamactor_signals.faces import crop_faces
from dreamactor_signals.retarget import PoseStandardizer
from dreamactor_signals.trackers import Tracker

from dreamactor_model.presets import FACE_CROP_PX

# A still image has no rate; trackers want one for their smoothing.
_STILL_FPS = Fraction(25)


@dataclass(frozen=True)
class Subject:
    """References on the canvas that the video will have.

    Attributes:
        images_RHWC: (R, H, W, 3) uint8.
        track: one frame, the pose of the first reference, in canvas pixels.
        size: width and height of the canvas.
        at_rest: one frame of the first reference in an A-pose, if an editor makes one.
    """

    images_RHWC: np.ndarray
    track: MotionTrack
    size: tuple[int, int]
    at_rest: MotionTrack | None = None

    def face_crop(self) -> np.ndarray:
        """(224, 224, 3) uint8 of the first reference's face; black if it shows none."""
        boxes_px = np.where(self.track.face_confidence[:, None] > 0, self.track.face_boxes_px, 0)
        return crop_faces(self.images_RHWC[:1], boxes_px, FACE_CROP_PX)[0]


def read_subject(
    paths: Sequence[Path], tracker: Tracker, *, area: int, standardizer: PoseStandardizer | None = None
) -> Subject:
    """Read the references; the first sets aspect and pose.

    Args:
        area: pixels of the canvas.
        standardizer: shows the person in an A-pose, to measure bones on.

    Raises:
        InputError, DecodeError: a file that is no image, or a first reference without a person.
    """
    images = [read_image(path) for path in paths]
    first = images[0]
    size = bucket_size(first.shape[1], first.shape[0], area)
    fits = [Fit.cover((image.shape[1], image.shape[0]), size) for image in images]
    canvas_RHWC = np.concatenate([fit.frames(image[None]) for fit, image in zip(fits, images, strict=True)])
    track = fits[0].track(_still_track(first, paths[0], tracker))
    at_rest = None if standardizer is None else _still_track(standardizer.standardize(first), paths[0], tracker)
    return Subject(canvas_RHWC, track, size, at_rest)


def _still_track(image_HWC: np.ndarray, path: Path, tracker: Tracker) -> MotionTrack:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        return tracker.track([image_HWC], _STILL_FPS, (image_HWC.shape[1], image_HWC.shape[0]), digest)
    except InputError as problem:
        raise InputError(problem.problem, path=path, remedy="Give an image that shows one person") from problem
