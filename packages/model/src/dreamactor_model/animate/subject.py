"""The person to be animated: reference images on one canvas, and the poses they show.

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
from dreamactor_core.settings.signals import Guidance
from dreamactor_dataset.fitting import Fit, bucket_size
from dreamactor_signals.draw import control_maps
from dreamactor_signals.faces import crop_faces
from dreamactor_signals.retarget import PoseStandardizer
from dreamactor_signals.trackers import Tracker
from dreamactor_signals.views import head_yaw_rad, pick_complement

from dreamactor_model.presets import CONTROL_CHANNELS, FACE_CROP_PX

# A still image has no rate; trackers want one for their smoothing.
_STILL_FPS = Fraction(25)


@dataclass(frozen=True)
class MadeView:
    """A reference that the model made itself: which frame of the made clip, and how the person stands there."""

    frame: int
    yaw_deg: float


@dataclass(frozen=True)
class Subject:
    """References on the canvas that the video will have.

    Attributes:
        images_RHWC: (R, H, W, 3) uint8; those of `paths`, then those of `views`.
        track: one frame, the pose of the first reference, in canvas pixels.
        size: width and height of the canvas.
        paths: the images that are used.
        others: one frame each, the poses of the further images, in canvas pixels; None where nobody is seen.
        at_rest: one frame of the first reference in an A-pose, if an editor makes one.
        views: references made by the model.
        notes: what a viewer should know of the choice.
    """

    images_RHWC: np.ndarray
    track: MotionTrack
    size: tuple[int, int]
    paths: tuple[Path, ...]
    others: tuple[MotionTrack | None, ...] = ()
    at_rest: MotionTrack | None = None
    views: tuple[MadeView, ...] = ()
    notes: tuple[str, ...] = ()

    def control_maps(self, guidance: Guidance) -> np.ndarray:
        """(R, 6, H, W) uint8: how the person stands in each image; black where nobody is seen."""
        maps_RCHW = np.zeros((len(self.images_RHWC), CONTROL_CHANNELS, *self.images_RHWC.shape[1:3]), np.uint8)
        for index, pose in enumerate([self.track, *self.others]):
            if pose is not None:
                maps_RCHW[index] = control_maps(pose, self.size, guidance)[0]
        return maps_RCHW

    def face_crop(self) -> np.ndarray:
        """(224, 224, 3) uint8 of the first reference's face; black if it shows none."""
        boxes_px = np.where(self.track.face_confidence[:, None] > 0, self.track.face_boxes_px, 0)
        return crop_faces(self.images_RHWC[:1], boxes_px, FACE_CROP_PX)[0]


def read_subject(
    paths: Sequence[Path],
    tracker: Tracker,
    *,
    area: int,
    fineness: int = 1,
    standardizer: PoseStandardizer | None = None,
    most: int | None = None,
) -> Subject:
    """Read the references; the first sets aspect and pose.

    Args:
        area: pixels of the frames that the VAE decodes.
        fineness: sides of the canvas, in those of such frames.
        standardizer: shows the person in an A-pose, to measure bones on.
        most: use no more images than this: the first, and those that show the person from the most different sides.

    Raises:
        InputError, DecodeError: a file that is no image, or a first reference without a person.
    """
    images = [read_image(path) for path in paths]
    first = images[0]
    track = _still_track(first, paths[0], tracker)
    others = [_seen_track(image, path, tracker) for image, path in zip(images[1:], paths[1:], strict=True)]
    used, notes = list(range(len(paths))), tuple[str, ...]()
    if most is not None and len(paths) > most:
        used = _most_different(track, others, most)
        names = ", ".join(paths[index].name for index in used)
        notes = (f"{len(paths)} references were given, the model takes {most}: {names}",)
    size = bucket_size(first.shape[1], first.shape[0], area, fineness)
    fits = {index: Fit.cover((images[index].shape[1], images[index].shape[0]), size) for index in used}
    canvas_RHWC = np.concatenate([fit.frames(images[index][None]) for index, fit in fits.items()])
    at_rest = None if standardizer is None else _still_track(standardizer.standardize(first), paths[0], tracker)
    chosen = tuple(paths[index] for index in used)
    poses = [None if (pose := others[index - 1]) is None else fits[index].track(pose) for index in used[1:]]
    return Subject(canvas_RHWC, fits[0].track(track), size, chosen, tuple(poses), at_rest, notes=notes)


def _most_different(first: MotionTrack, others: Sequence[MotionTrack | None], most: int) -> list[int]:
    """`most` images: the first, those of the most different yaw (paper 3.3), then the others in order."""
    yaw_rad = np.array([float("nan") if pose is None else float(head_yaw_rad(pose)[0]) for pose in others])
    picked: list[int] = []
    if not np.isnan(yaw_rad).all():
        picked = (1 + pick_complement(yaw_rad, float(head_yaw_rad(first)[0]), most - 1)).tolist()
    return list(dict.fromkeys([0, *picked, *range(1 + len(others))]))[:most]


def _seen_track(image_HWC: np.ndarray, path: Path, tracker: Tracker) -> MotionTrack | None:
    """None where nobody is seen: a further reference may show a back, or a coat alone."""
    try:
        return _still_track(image_HWC, path, tracker)
    except InputError:
        return None


def _still_track(image_HWC: np.ndarray, path: Path, tracker: Tracker) -> MotionTrack:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        return tracker.track([image_HWC], _STILL_FPS, (image_HWC.shape[1], image_HWC.shape[0]), digest)
    except InputError as problem:
        raise InputError(problem.problem, path=path, remedy="Give an image that shows one person") from problem
