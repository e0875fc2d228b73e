"""The half-body crop of a full-body clip (paper 3.3)."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_signals.views import half_body_box_px, half_body_crop, half_body_frame
from hypothesis import given, settings
from hypothesis import strategies as st

Person = Callable[..., MotionTrack]


def test_the_crop_holds_head_and_torso_and_leaves_the_feet(person: Person) -> None:
    track = person(np.zeros(3))
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
    image = np.arange(640 * 480 * 3, dtype=np.uint32).astype(np.uint8).reshape(640, 480, 3)
    np.testing.assert_array_equal(half_body_crop(image, track, 1, 2 / 3), image[y0:y1, x0:x1])


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(0.5, 12), st.floats(0.4, 2.5), st.tuples(st.integers(64, 500), st.integers(64, 500)))
def test_the_crop_lies_in_the_frame(
    person: Person, pelvis_x_m: float, depth_m: float, aspect: float, size: tuple[int, int]
) -> None:
    # The camera stays as it is while the person comes near or leaves the frame.
    track = person(at_m=(pelvis_x_m, 0.0, depth_m), focal_px=float(size[1]), frame_size=size)
    x0, y0, x1, y1 = half_body_box_px(track, 0, aspect)
    assert 0 <= x0 < x1 <= size[0]
    assert 0 <= y0 < y1 <= size[1]


def test_frames_without_a_torso_are_passed_over(person: Person) -> None:
    track = person(np.zeros(6))
    confidence = track.joint_confidence.copy()
    confidence[1:5, joint_index("left_hip")] = 0.1
    hidden = replace(track, joint_confidence=confidence)
    assert [half_body_frame(hidden, near) for near in range(6)] == [0, 0, 0, 5, 5, 5]
    assert half_body_frame(replace(track, head_confidence=np.zeros(6)), 3) is None
