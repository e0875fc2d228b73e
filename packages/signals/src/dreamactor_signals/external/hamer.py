"""HaMeR results: hands in camera space.

An `.npz` or pickle of N sightings: frame (N,) number of the video frame from 0, right (N,) 1 or 0, pred_keypoints_3d
(N, 21, 3) metres from the hand's origin (wrist, then thumb to little finger, root to tip), pred_cam_t_full (N, 3), and
score (N,), which may be absent (1). As HaMeR writes them: left hands are mirrored right ones, so their x is turned back
here; the focal length is that of `external.camera`.

Legend: T frames, N sightings, H = 21 points.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError

from dreamactor_signals.foreign.files import array_of, read_foreign

WHAT = "a HaMeR result"
_POINTS = 21


@dataclass(frozen=True)
class Hands:
    """Hands of a clip.

    Attributes:
        points_cam_m: (T, 2, H, 3) left and right. confidence: (T, 2), 0 where a hand is not there.
    """

    points_cam_m: np.ndarray
    confidence: np.ndarray


def read_hamer(path: Path, frame_count: int | None = None) -> Hands:
    """Read a result.

    Args:
        path: of the file.
        frame_count: of the clip; None ends with the last sighting.

    Raises:
        InputError: missing, damaged, of another layout, or a pickle that asks for more than data.
    """
    values = read_foreign(path)
    frame = array_of(values, "frame", (None,), path, what=WHAT).astype(np.int64)
    count = len(frame)
    right = array_of(values, "right", (count,), path, what=WHAT).astype(np.int64)
    points_m = array_of(values, "pred_keypoints_3d", (count, _POINTS, 3), path, what=WHAT)
    place_m = array_of(values, "pred_cam_t_full", (count, 3), path, what=WHAT)
    score = array_of(values, "score", (count,), path, what=WHAT) if "score" in values else np.ones(count)
    if count == 0 or frame.min() < 0 or not np.isin(right, (0, 1)).all():
        raise InputError(f"not {WHAT}: no hands, or a frame or side that cannot be", path=path)
    length = int(frame.max()) + 1 if frame_count is None else frame_count
    if frame.max() >= length:
        raise InputError(f"hands in frame {frame.max()} of a clip of {length} frames", path=path)
    points_m = points_m * np.where(right[:, None, None] == 1, 1, (-1, 1, 1)) + place_m[:, None]
    hands = Hands(np.zeros((length, 2, _POINTS, 3)), np.zeros((length, 2)))
    # Of two sightings of one hand, the surer one.
    for n in np.argsort(score, kind="stable"):
        hands.points_cam_m[frame[n], right[n]] = points_m[n]
        hands.confidence[frame[n], right[n]] = np.clip(score[n], 0, 1)
    return hands
