"""Cases that the evaluation's tests make up, and a person of whom everything is known."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, JOINT_NAMES, joint_index
from dreamactor_model.evaluation.case import Case
from dreamactor_model.evaluation.observed import Observed

DISTANCE_M, TORSO_M = 4.0, 0.5


def standing_person(frames: int, size: tuple[int, int] = (96, 128), fps: int = 25) -> MotionTrack:
    """Somebody who stands still, facing the camera, whole in the picture: one metre is 60 pixels."""
    joints_m = np.zeros((JOINT_COUNT, 3))
    joints_m[:, 2] = DISTANCE_M
    for name, (x, y) in _BODY_M.items():
        joints_m[joint_index(name), :2] = x, y
    for joint, name in enumerate(JOINT_NAMES):
        if name[-1].isdigit():
            side = "left" if name.startswith("left") else "right"
            joints_m[joint] = joints_m[joint_index(f"{side}_wrist")] + [0.01 * (joint % 5), 0.02 * int(name[-1]), 0]
    return MotionTrack(
        joints_cam_m=np.tile(joints_m, (frames, 1, 1)),
        joint_confidence=np.ones((frames, JOINT_COUNT)),
        focal_px=60 * DISTANCE_M,
        principal_px=np.array(size) / 2,
        frame_size=size,
        fps=Fraction(fps),
        head_rotation=np.tile(np.eye(3), (frames, 1, 1)),
        head_center_cam_m=np.tile([0.0, -0.7, DISTANCE_M], (frames, 1)),
        head_radius_m=np.full(frames, 0.2),
        head_confidence=np.ones(frames),
        face_boxes_px=np.tile(np.array([size[0] / 2 - 8, 18, size[0] / 2 + 8, 34], float), (frames, 1)),
        face_confidence=np.ones(frames),
        trackers={"face": "whoever looks"},
        face_units=np.full((frames, len(ARKIT_UNITS)), 0.5),
    )


# Where joints are, right and down of the picture's middle.
_BODY_M = {
    "neck": (0, -0.4),
    "pelvis": (0, TORSO_M - 0.4),
    "left_shoulder": (0.2, -0.4),
    "left_elbow": (0.25, -0.1),
    "left_wrist": (0.3, 0.2),
    "right_shoulder": (-0.2, -0.4),
    "right_elbow": (-0.25, -0.1),
    "right_wrist": (-0.3, 0.2),
    "left_hip": (0.1, 0.1),
    "left_knee": (0.1, 0.5),
    "left_ankle": (0.1, 0.9),
    "left_heel": (0.1, 0.95),
    "left_toe": (0.15, 0.95),
    "right_hip": (-0.1, 0.1),
    "right_knee": (-0.1, 0.5),
    "right_ankle": (-0.1, 0.9),
    "right_heel": (-0.1, 0.95),
    "right_toe": (-0.15, 0.95),
}


def made_case(
    result: np.ndarray,
    *,
    truth: np.ndarray | None = None,
    reference: np.ndarray | None = None,
    driving: MotionTrack | None = None,
    segment_starts: tuple[int, ...] = (0,),
) -> Case:
    """A case of some frames; whatever is not named is made to fit them."""
    height, width = result.shape[1:3]
    return Case(
        clip_id="made-up",
        truth_THWC=truth,
        result_THWC=result,
        reference_HWC=result[0] if reference is None else reference,
        driving=driving or replace(standing_person(len(result)), frame_size=(width, height)),
        segment_starts=segment_starts,
    )


class KnownEyes:
    """See one and the same person everywhere, or nobody, and count how often they look."""

    def __init__(self, person: MotionTrack | None = None) -> None:
        self.looked = 0
        self._person = person

    def look_ahead(self, clips_THWC: Sequence[np.ndarray], fps: Sequence[Fraction]) -> None:
        """No need."""

    def see(self, frames_THWC: np.ndarray, fps: Fraction) -> MotionTrack | None:
        """As many frames of that person."""
        self.looked += 1
        return None if self._person is None else self._person[: len(frames_THWC)]


def observed(case: Case) -> Observed:
    """A case in which eyes see nobody."""
    return Observed(case, KnownEyes())
