"""Reference frames: the three yaws and the half-body crop (paper 3.3)."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_dataset.references import half_body_box_px, nearest_half_body, yaw_frames
from hypothesis import given, settings
from hypothesis import strategies as st

Person = Callable[..., MotionTrack]


def test_most_least_and_median_yaw(standing_person: Person) -> None:
    yaw_rad = np.array([0.0, 0.3, -0.8, 0.1, 0.9, -0.2, 0.2])
    assert yaw_frames(standing_person(7, yaw_rad=yaw_rad)) == (4, 2, 3)


def test_the_crop_holds_head_and_torso_and_leaves_the_feet(standing_person: Person) -> None:
    track = standing_person(3, size=(480, 640))
    x0, y0, x1, y1 = half_body_box_px(track, 1, 2 / 3)
    joints_px = track.project(track.joints_cam_m[1])
    head_top_px = track.project(track.head_center_cam_m[1] - [0, track.head_radius_m[1], 0])
    for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip"):
        x_px, y_px = joints_px[joint_index(name)]
        assert x0 < x_px < x1
        assert y0 < y_px < y1
    assert y0 < head_top_px[1]
    assert y1 < joints_px[joint_index("left_knee"), 1]
    assert (x1 - x0) / (y1 - y0) == pytest.approx(2 / 3, rel=0.02)


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(0.5, 12), st.floats(0.4, 2.5), st.tuples(st.integers(64, 500), st.integers(64, 500)))
def test_the_crop_lies_in_the_frame(
    standing_person: Person, pelvis_x_m: float, depth_m: float, aspect: float, size: tuple[int, int]
) -> None:
    track = standing_person(1, size=size, depth_m=depth_m, pelvis_x_m=pelvis_x_m)
    # The camera stays as it is while the person comes near or leaves the frame.
    track = replace(track, focal_px=float(size[1]))
    x0, y0, x1, y1 = half_body_box_px(track, 0, aspect)
    assert 0 <= x0 < x1 <= size[0]
    assert 0 <= y0 < y1 <= size[1]


def test_frames_without_a_torso_are_passed_over(standing_person: Person) -> None:
    track = standing_person(6)
    confidence = track.joint_confidence.copy()
    confidence[1:5, joint_index("left_hip")] = 0
    hidden = replace(track, joint_confidence=confidence)
    assert [nearest_half_body(hidden, frame) for frame in range(6)] == [0, 0, 0, 5, 5, 5]
    assert nearest_half_body(replace(track, joint_confidence=np.zeros_like(confidence)), 3) is None
