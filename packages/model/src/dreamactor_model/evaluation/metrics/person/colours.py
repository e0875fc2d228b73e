"""Whether face, hair and clothes keep the colours of the reference.

Legend: T video frames, H W rows and columns, C channels.
"""

from typing import Literal

import cv2
import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_signals.visibility import SEEN

from dreamactor_model.evaluation.metrics.person.expression import large_faces
from dreamactor_model.evaluation.metrics.person.sampled import FRAMES, spread

Part = Literal["face", "hair", "clothes"]
_PLACES: dict[Part, str] = {
    "face": "the middle of the face box (at least evaluation.min_face_px wide)",
    "hair": "the head circle above the forehead of such a face, whatever covers it",
    "clothes": "the middle of the quadrilateral of shoulders and hips, or what is in the picture of it",
}
# Of the face box: without the hair beside it and the neck under it.
_FACE_WIDTH, _FACE_TOP, _FACE_BOTTOM = 0.6, 0.15, 0.85
# Of the skull's radius, as hair lies on it; and of the face box, how far above it the forehead reaches.
_HAIR_RADIUS, _FOREHEAD = 1.1, 0.12
# Of the torso: without its outline.
_CLOTHES_SHARE = 0.7
# Hips that are out of sight hang this many shoulder widths under the shoulders.
_HIPS_BELOW = 1.3
_FEWEST_PIXELS = 16


def colours_protocol(part: Part) -> str:
    """How the distance of a part's colours is made."""
    return (
        f"CIE76 distance of median L*a*b* colours of {_PLACES[part]}, as a tracker places it in the result, to that in "
        f"the reference; mean over at most {FRAMES} frames spread over the clip; light that changes counts too"
    )


def colour_distance(
    part: Part,
    result_THWC: np.ndarray,
    result: MotionTrack | None,
    reference_HWC: np.ndarray,
    reference: MotionTrack | None,
    min_face_px: int,
) -> float | None:
    """Mean distance of a part's colour; None where the result or the reference does not show it.

    Args:
        min_face_px: width of the smallest face that is looked at, and of that under the hair.
    """
    if result is None or reference is None:
        return None
    size = reference_HWC.shape[:2]
    wanted_HW = _mask(reference, 0, part, size, min_face_px)
    if wanted_HW is None:
        return None
    masks = [_mask(result, frame, part, result_THWC.shape[1:3], min_face_px) for frame in range(len(result))]
    picked = spread(np.array([mask_HW is not None for mask_HW in masks]))
    if len(picked) == 0:
        return None
    wanted_lab = _colour(reference_HWC, wanted_HW)
    return float(np.mean([np.linalg.norm(_colour(result_THWC[frame], masks[frame]) - wanted_lab) for frame in picked]))


def _colour(frame_HWC: np.ndarray, mask_HW: np.ndarray | None) -> np.ndarray:
    """(3,) median L*a*b* under a mask."""
    lab_HWC = cv2.cvtColor(np.ascontiguousarray(frame_HWC).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(np.median(lab_HWC[mask_HW], axis=0))


def _mask(track: MotionTrack, frame: int, part: Part, shape: tuple[int, ...], min_face_px: int) -> np.ndarray | None:
    """(H, W) bool, or None where the part is not seen or too small."""
    if part != "clothes" and not large_faces(track[frame : frame + 1], min_face_px)[0]:
        return None
    mask_HW = np.zeros(shape[:2], np.uint8)
    painted = _PAINTERS[part](mask_HW, track, frame)
    return mask_HW.astype(bool) if painted and mask_HW.sum() >= _FEWEST_PIXELS else None


def _paint_face(mask_HW: np.ndarray, track: MotionTrack, frame: int) -> bool:
    x0, y0, x1, y1 = track.face_boxes_px[frame]
    aside = (x1 - x0) * (1 - _FACE_WIDTH) / 2
    top, bottom = y0 + _FACE_TOP * (y1 - y0), y0 + _FACE_BOTTOM * (y1 - y0)
    cv2.rectangle(mask_HW, _pixel(x0 + aside, top), _pixel(x1 - aside, bottom), 1, thickness=-1)
    return True


def _paint_hair(mask_HW: np.ndarray, track: MotionTrack, frame: int) -> bool:
    if track.head_confidence[frame] < SEEN:
        return False
    center_cam_m = track.head_center_cam_m[frame]
    radius_px = track.head_radius_m[frame] * track.focal_px / max(center_cam_m[2], 1e-6)
    x, y = track.project(center_cam_m)
    cv2.circle(mask_HW, _pixel(x, y), round(float(_HAIR_RADIUS * radius_px)), 1, thickness=-1)
    _, top, _, bottom = track.face_boxes_px[frame]
    mask_HW[max(round(float(top - _FOREHEAD * (bottom - top))), 0) :] = 0
    return True


def _paint_clothes(mask_HW: np.ndarray, track: MotionTrack, frame: int) -> bool:
    corners = [joint_index(name) for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    confidence = track.joint_confidence[frame, corners]
    if confidence[:2].min() < SEEN:
        return False
    corners_px = track.project(track.joints_cam_m[frame, corners])
    if confidence[2:].min() < SEEN:
        width_px = float(np.linalg.norm(corners_px[0] - corners_px[1]))
        corners_px[2:] = corners_px[[1, 0]] + np.array([0, _HIPS_BELOW * width_px])
    middle = corners_px.mean(axis=0)
    inner = middle + _CLOTHES_SHARE * (corners_px - middle)
    cv2.fillConvexPoly(mask_HW, np.round(inner).astype(np.int32), 1)
    return True


_PAINTERS = {"face": _paint_face, "hair": _paint_hair, "clothes": _paint_clothes}


def _pixel(x: float, y: float) -> tuple[int, int]:
    return round(float(x)), round(float(y))
