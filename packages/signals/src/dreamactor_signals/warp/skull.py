"""How far the hair of a head that was cut out stands off: its skull is shaped by the outline that the picture shows.

Lengths are in radii of the skull, from its centre. Legend: H W rows and columns, V vertices, A directions in the
picture, R distances.
"""

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_mesh import SKULL_RADIUS, head_mesh

_DIRECTIONS, _FROM, _STEP = 72, 0.6, 0.02
# No outline of a head is nearer or farther; what is farther hangs down or is somebody's hand.
_NEAREST, _FARTHEST = 0.75, 1.4
_SMOOTH = 1.5
# Cosines to where the head's neck is, between which the outline comes to be the collar's and not the head's.
_JAW, _NECK = 0.2, 0.6
_ANGLES_A = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
_DISTANCES_R = np.arange(_FROM, _FARTHEST + _STEP, _STEP)


def outline(place: Head, share_HW: np.ndarray) -> np.ndarray:
    """(A,) how far a head reaches in evenly spaced directions of its picture, from right over down.

    Towards the neck and the edge of the picture, where no outline is seen, it is that of the average head.

    Args:
        share_HW: of each pixel, how much is the head's.
    """
    along_A2 = np.stack([np.cos(_ANGLES_A), np.sin(_ANGLES_A)], axis=-1)
    at_AR2 = (place.center_px + place.skull_px * _DISTANCES_R[:, None] * along_A2[:, None] - 0.5).astype(np.float32)
    share_AR = cv2.remap(share_HW, at_AR2[..., 0], at_AR2[..., 1], cv2.INTER_LINEAR, borderValue=-1.0)
    ends_AR = share_AR < 0.5
    first_A = np.where(ends_AR.any(axis=1), ends_AR.argmax(axis=1), len(_DISTANCES_R) - 1)
    reach_A = _DISTANCES_R[first_A].clip(_NEAREST, _FARTHEST)
    is_edge_A = share_AR[np.arange(_DIRECTIONS), first_A] < 0
    toward_neck_A = along_A2 @ place.rotation[:2, 1]
    unknown_A = np.where(is_edge_A, 1.0, ((toward_neck_A - _JAW) / (_NECK - _JAW)).clip(0, 1))
    known_A = reach_A + unknown_A * (SKULL_RADIUS - reach_A)
    return gaussian_filter1d(known_A, _SMOOTH, mode="wrap")


def reach(outline_A: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(...) how far the outline is in the directions of places (..., 2) from the centre."""
    angles = np.arctan2(places[..., 1], places[..., 0]) % (2 * np.pi)
    return np.interp(angles, np.append(_ANGLES_A, 2 * np.pi), np.append(outline_A, outline_A[0]))


def shaped_skull(points_V3: np.ndarray, place: Head, outline_A: np.ndarray) -> np.ndarray:
    """(V, 3) the points, those of the skull as far out as the outline; in front and behind as far as it is on average.

    Args:
        points_V3: in head coordinates.
    """
    is_skull_V = head_mesh().is_face == 0
    turned_S3 = points_V3[is_skull_V] @ place.rotation.T
    length_S = np.linalg.norm(turned_S3, axis=-1)
    aside_S = np.linalg.norm(turned_S3[:, :2], axis=-1) / length_S
    average = float(outline_A.mean())
    reach_S = average + aside_S**2 * (reach(outline_A, turned_S3[:, :2]) - average)
    shaped_V3 = points_V3.copy()
    shaped_V3[is_skull_V] *= (reach_S / length_S)[:, None]
    return shaped_V3
