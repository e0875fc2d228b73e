"""What the networks say of one frame, before the clip is put together.

Legend: P = 33 body points, H = 21 hand points, U face units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import NoPersonError


@dataclass(frozen=True)
class BodyReading:
    """The body of one frame.

    Attributes:
        points_px: (P, 2) in the frame.
        depth_px: (P,) away from the camera, at the scale of the pixels there, from about the middle of the hips.
        points_body_m: (P, 3) along the camera's axes, from the middle of the hips; its depths are read apart.
        visibility: (P,) in [0, 1], small for what is hidden or outside.
        score: in [0, 1].
    """

    points_px: np.ndarray
    depth_px: np.ndarray
    points_body_m: np.ndarray
    visibility: np.ndarray
    score: float


@dataclass(frozen=True)
class HandReading:
    """One hand of one frame.

    Attributes:
        points_px: (H, 2) in the frame.
        points_hand_m: (H, 3) along the camera's axes, from the middle of the hand.
        score: in [0, 1].
        right_score: how much it looks like a right hand, in [0, 1].
    """

    points_px: np.ndarray
    points_hand_m: np.ndarray
    score: float
    right_score: float


@dataclass(frozen=True)
class HeadReading:
    """Where the head is and how it is turned.

    Attributes:
        rotation: (3, 3) head coordinates to camera space.
        center_cam_m: (3,) centre of the skull, at the scale of an average adult head.
        confidence: in [0, 1].
    """

    rotation: np.ndarray
    center_cam_m: np.ndarray
    confidence: float


@dataclass(frozen=True)
class FaceReading:
    """The face of one frame.

    Attributes:
        box_px: (4,) x0 y0 x1 y1 around all landmarks.
        units: (U,) ARKit weights in [0, 1].
        head: from the landmarks.
        score: in [0, 1].
    """

    box_px: np.ndarray
    units: np.ndarray
    head: HeadReading
    score: float


@dataclass(frozen=True)
class FaceGlimpse:
    """A face that the detector sees, too far turned and bowed for its landmarks to be read.

    Attributes:
        box_px: (4,) x0 y0 x1 y1 about where the landmarks' box would be.
        score: the detector's, in [0, 1].
    """

    box_px: np.ndarray
    score: float


@dataclass(frozen=True)
class FrameReading:
    """Everything read of one frame; what was not found is None.

    Attributes:
        glimpse: of the body's face, where there is no `face`.
        scene: the whole frame in a few pixels, uint8 (`shots.scene_of`), to know a cut by.
    """

    body: BodyReading | None = None
    left_hand: HandReading | None = None
    right_hand: HandReading | None = None
    face: FaceReading | None = None
    scene: np.ndarray | None = None
    glimpse: FaceGlimpse | None = None


def require_somebody(readings: Sequence[FrameReading]) -> None:
    """Refuse a clip that shows nobody.

    Raises:
        NoPersonError: no body and no face in any frame.
    """
    if not any(reading.body or reading.face for reading in readings):
        raise NoPersonError(
            f"no person found in {len(readings)} frames", remedy="Use footage that shows a person's face or body"
        )
