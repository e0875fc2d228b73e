"""The person out of the picture, the picture without the person, and every part with what lies hidden behind others.

Legend: P parts, H W rows and columns, C channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp.parts import NEIGHBOURS
from dreamactor_signals.warp.placing import Placement
from dreamactor_signals.warp.silhouette import silhouette

# Distances from the parts, in radii, at which a pixel is surely, probably and surely not of the person.
_SURE, _LIKELY, _NEVER = 0.4, 1.1, 2.2
# From which shares on the silhouette is sure, and how much of the skeleton it holds if it knows such people at all.
_SURELY_NOT, _SURELY, _KNOWN = 0.2, 0.8, 0.5
_ROUNDS = 4
# What is hidden is filled inside this distance, from what is seen of the part up to the other.
_HULL, _AROUND = 0.9, 1.8
_INPAINT_RADIUS = 3
# How far the edge of a mask is moved out, as a share of the frame's shorter side.
_EDGE = 0.008


@dataclass(frozen=True, eq=False)
class Cut:
    """A picture in pieces.

    Attributes:
        background_HWC: uint8, the person painted over.
        pieces: of each part (H, W, 4) float32: RGB times its share of the pixel, and that share.
    """

    background_HWC: np.ndarray
    pieces: dict[str, np.ndarray]


def cut_out(image_HWC: np.ndarray, parts: Mapping[str, Placement], *, learned: bool) -> Cut:
    """Cut a person out.

    Args:
        parts: where they are; none leaves the picture whole.
        learned: whether a network is asked for the pixels that are a person's; else the skeleton decides alone.
    """
    if not parts:
        return Cut(image_HWC, {})
    names = list(parts)
    distances_PHW = np.stack([parts[name].distance(pixel_centers(image_HWC.shape[:2])) for name in names])
    # The pixels of the edge, mixed with what is behind, go with the person: left behind they would be an outline.
    person_HW = _grown(_segment(image_HWC, distances_PHW.min(axis=0), learned=learned))
    owner_HW = np.where(person_HW, distances_PHW.argmin(axis=0), -1)
    pieces = {name: _piece(image_HWC, index, names, parts, distances_PHW, owner_HW) for index, name in enumerate(names)}
    return Cut(_inpaint(image_HWC, person_HW), pieces)


def _segment(image_HWC: np.ndarray, distance_HW: np.ndarray, *, learned: bool) -> np.ndarray:
    """(H, W) bool by GrabCut: colours decide where the silhouette, or else the skeleton, leaves it open."""
    inside = distance_HW < _LIKELY
    if inside.all() or not inside.any():
        return np.asarray(inside)
    share_HW = silhouette(image_HWC, distance_HW < _NEVER) if learned else None
    if share_HW is not None and _is_known(share_HW, distance_HW < _SURE):
        labels_HW = _by_silhouette(share_HW, distance_HW)
    else:
        labels_HW = _by_skeleton(distance_HW)
    labels_HW[distance_HW > _NEVER] = cv2.GC_BGD
    # Its clusters begin at random; equal pictures are cut equally.
    cv2.setRNGSeed(0)
    models = np.zeros((2, 1, 65))
    cv2.grabCut(image_HWC[..., ::-1].copy(), labels_HW, None, models[0], models[1], _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return (labels_HW == cv2.GC_FGD) | (labels_HW == cv2.GC_PR_FGD)


def _is_known(share_HW: np.ndarray, core_HW: np.ndarray) -> bool:
    """Whether the silhouette holds what surely is the person: a drawn one may be none to it."""
    return bool(core_HW.any() and share_HW[core_HW].mean() > _KNOWN)


def _by_skeleton(distance_HW: np.ndarray) -> np.ndarray:
    labels_HW = np.full(distance_HW.shape, cv2.GC_PR_BGD, np.uint8)
    labels_HW[distance_HW < _LIKELY] = cv2.GC_PR_FGD
    labels_HW[distance_HW < _SURE] = cv2.GC_FGD
    return labels_HW


def _by_silhouette(share_HW: np.ndarray, distance_HW: np.ndarray) -> np.ndarray:
    labels_HW = np.where(share_HW < 0.5, cv2.GC_PR_BGD, cv2.GC_PR_FGD).astype(np.uint8)
    labels_HW[share_HW > _SURELY] = cv2.GC_FGD
    labels_HW[share_HW < _SURELY_NOT] = cv2.GC_BGD
    # Where the skeleton contradicts.
    labels_HW[(share_HW < _SURELY_NOT) & (distance_HW < _SURE)] = cv2.GC_PR_FGD
    return labels_HW


def _piece(
    image_HWC: np.ndarray,
    index: int,
    names: list[str],
    parts: Mapping[str, Placement],
    distances_PHW: np.ndarray,
    owner_HW: np.ndarray,
) -> np.ndarray:
    """A part's pixels: its own, the joints that it shares with others, and what nearer parts hide of it."""
    name, distance_HW = names[index], distances_PHW[index]
    own_HW, person_HW = owner_HW == index, owner_HW >= 0
    joined = [other for other, of in enumerate(names) if of in NEIGHBOURS[name]]
    nearer = [other for other, of in enumerate(names) if parts[of].depth_m < parts[name].depth_m]
    seen_HW = person_HW & (_grown(own_HW) | ((distance_HW < 1) & np.isin(owner_HW, joined)))
    # Nothing is known of a part that others hide altogether.
    hidden_HW = (distance_HW < _HULL) & np.isin(owner_HW, nearer) & ~own_HW & own_HW.any()
    texture_HWC = image_HWC
    if hidden_HW.any():
        filled_HWC = _inpaint(image_HWC, ~own_HW & (distance_HW < _AROUND))
        texture_HWC = np.where(hidden_HW[..., None], filled_HWC, image_HWC)
    share_HW1 = (seen_HW | hidden_HW)[..., None].astype(np.float32)
    return np.concatenate([texture_HWC * share_HW1, share_HW1], axis=-1)


def edge_px(shape: tuple[int, ...]) -> int:
    """How far beyond its edge a person is cut out of a picture of (H, W, ...)."""
    return max(1, round(_EDGE * min(shape[:2])))


def _grown(mask_HW: np.ndarray) -> np.ndarray:
    reach = edge_px(mask_HW.shape)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask_HW.astype(np.uint8), kernel).astype(bool)


def _inpaint(image_HWC: np.ndarray, mask_HW: np.ndarray) -> np.ndarray:
    if mask_HW.all():
        return image_HWC
    return np.asarray(cv2.inpaint(image_HWC, mask_HW.astype(np.uint8), _INPAINT_RADIUS, cv2.INPAINT_TELEA))
