"""From pictures of a face set to crops as a tracker would make them: jittered, sometimes mirrored, in other light.

Legend: K crops, S side of a picture, U face units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from dreamactor_core.face_units import mirrored_units
from dreamactor_dataset.face_set import LIGHT_TRUTHS, MARGIN, FaceSet, FaceTruth

from dreamactor_model.presets import FACE_CROP_PX

# As shares of the crop's side: what face detectors are off by.
_LARGEST_SHIFT, _LARGEST_ZOOM = 0.08, 0.1
# Cameras and lamps: gain of each colour, exponent of all.
_LARGEST_TINT, _GAMMA = 0.2, (0.7, 1.4)
# Faces far away: this often the crop holds no more pixels than this along a side.
_SMALL_SHARE, _SMALL_PX = 0.2, (80, 160)
# In a mirror the left eye is a right one.
_MIRRORED_POINTS = [1, 0, 2]
# Expressions that are taken together, and faces of each.
_STRETCH, _MATES = 4, 2
_MIRRORED_UNITS = np.array(mirrored_units())
# Yaw and roll change sides in a mirror, pitch does not; so does the side the key light comes from.
_MIRRORED_ANGLES = np.array((-1, 1, -1), np.float32)
_MIRRORED_LIGHT = np.array([-1 if name == "key_side" else 1 for name in LIGHT_TRUTHS], np.float32)


@dataclass(frozen=True)
class Place:
    """Where a crop lies in its picture: shift of its middle in sides of the crop, and its zoom."""

    right: float = 0.0
    down: float = 0.0
    zoom: float = 1.0

    @property
    def truth(self) -> np.ndarray:
        """(3,) float32."""
        return np.array((self.right, self.down, self.zoom), np.float32)


PLACE_TRUTHS = ("shift_right", "shift_down", "zoom")


def draw_place(random: np.random.Generator) -> Place:
    """A detector's error."""
    right, down = random.uniform(-_LARGEST_SHIFT, _LARGEST_SHIFT, size=2)
    return Place(float(right), float(down), float(1 + random.uniform(-_LARGEST_ZOOM, _LARGEST_ZOOM)))


def crop_face(picture: np.ndarray, place: Place, *, mirror: bool = False, size: int = FACE_CROP_PX) -> np.ndarray:
    """(size, size, 3) uint8 of a picture (S, S, 3); black beyond it.

    Args:
        place: where; a place to the right of the picture's middle shows a face to the left of the crop's.
        mirror: swap the crop's sides, after it was cut out.
    """
    side = len(picture)
    step = side / MARGIN / size / place.zoom
    center = side / 2 + side / MARGIN * np.array((place.right, place.down))
    across = -step if mirror else step
    # Pixel centres lie at whole numbers: half a pixel is added and taken away again.
    half = size / 2 - 0.5
    matrix = np.array([[across, 0, center[0] - 0.5 - across * half], [0, step, center[1] - 0.5 - step * half]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT))


def points_in_crop(points_KPX: np.ndarray, places: Sequence[Place], mirrors: np.ndarray) -> np.ndarray:
    """Points (K, P, 2) of pictures, as they lie in crops, in sides of the crop; see `FaceTruth.points`."""
    centers = np.array([(place.right, place.down) for place in places], np.float32)[:, None]
    zooms = np.array([place.zoom for place in places], np.float32)[:, None, None]
    inside = ((points_KPX - 0.5) * np.float32(MARGIN) - centers) * zooms + np.float32(0.5)
    flipped = inside[:, _MIRRORED_POINTS] * np.array((-1, 1), np.float32) + np.array((1, 0), np.float32)
    return np.asarray(np.where(mirrors[:, None, None], flipped, inside))


def augment(picture: np.ndarray, place: Place, mirror: bool, random: np.random.Generator) -> np.ndarray:
    """A training crop (224, 224, 3) uint8: at its place, maybe from far away, in the colours of another camera."""
    small = round(float(random.uniform(*_SMALL_PX)))
    far = random.random() < _SMALL_SHARE
    crop = crop_face(picture, place, mirror=mirror, size=small if far else FACE_CROP_PX)
    gains, gamma = random.uniform(1 - _LARGEST_TINT, 1 + _LARGEST_TINT, size=3), random.uniform(*_GAMMA)
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gains
    crop = cv2.LUT(crop, np.round(255 * levels.clip(0, 1)).astype(np.uint8)[None])
    return np.asarray(cv2.resize(crop, (FACE_CROP_PX, FACE_CROP_PX), interpolation=cv2.INTER_LINEAR) if far else crop)


def mirrored(truth: FaceTruth) -> FaceTruth:
    """What is true of the mirror images. Expressions keep their numbers: mirror none or all of one."""
    return replace(
        truth,
        units=truth.units[:, _MIRRORED_UNITS],
        angles_rad=truth.angles_rad * _MIRRORED_ANGLES,
        light=truth.light * _MIRRORED_LIGHT,
    )


class FaceBatches:
    """Training batches of a face set: stretches of neighbouring expressions.

    The set's plan gives neighbours the same people but for one, so that a batch holds equal expressions on other people
    and other expressions on equal people. Two faces of an expression are enough: the more expressions, the better.
    """

    def __init__(self, faces: FaceSet, size: int) -> None:
        self._faces, self._size = faces, size
        starts = np.flatnonzero(np.diff(faces.truth.expressions, prepend=-1))
        self._shown = np.split(np.arange(len(faces)), starts[1:])

    def rows(self, random: np.random.Generator) -> np.ndarray:
        """(K,) indices into the set, the faces of an expression side by side; only the last may lack its mate."""
        rows: list[int] = []
        while len(rows) < self._size:
            first = int(random.integers(len(self._shown)))
            for shown in self._shown[first : first + _STRETCH]:
                rows.extend(random.permutation(shown)[:_MATES])
        return np.array(rows[: self._size])

    def mirrors(self, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(K,) bool: half of the expressions, each on all who show it."""
        expressions, which = np.unique(self._faces.truth.expressions[rows], return_inverse=True)
        return (random.random(len(expressions)) < 0.5)[which]
