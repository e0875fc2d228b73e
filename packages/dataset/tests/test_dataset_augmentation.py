"""What is changed at random is what was asked for, equally for equal seeds."""

from collections.abc import Callable

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import PARENTS, joint_index
from dreamactor_dataset.augmentation import change_bones, change_colours

Person = Callable[..., MotionTrack]


def _bone_m(track: MotionTrack, joint: str) -> np.ndarray:
    end = joint_index(joint)
    return track.joints_cam_m[:, end] - track.joints_cam_m[:, PARENTS[end]]


def test_bones_change_their_lengths_alike_on_both_sides_and_keep_their_directions(standing_person: Person) -> None:
    track = standing_person(4)
    changed = change_bones(track, 0.2, seed=3)
    factors = {}
    for joint in ("elbow", "wrist", "knee", "ankle", "shoulder"):
        for side in ("left", "right"):
            old, new = _bone_m(track, f"{side}_{joint}"), _bone_m(changed, f"{side}_{joint}")
            ratio = np.linalg.norm(new, axis=1) / np.linalg.norm(old, axis=1)
            np.testing.assert_allclose(new, old * ratio[:, None], atol=1e-5)
            factors[joint, side] = float(ratio[0])
    assert all(factors[joint, "left"] == pytest.approx(factors[joint, "right"], rel=1e-4) for joint, _ in factors)
    assert len({round(factor, 3) for factor in factors.values()}) == 5
    # The neck carries the head, which has not moved.
    neck = joint_index("neck")
    np.testing.assert_array_equal(changed.joints_cam_m[:, neck], track.joints_cam_m[:, neck])
    np.testing.assert_array_equal(changed.head_center_cam_m, track.head_center_cam_m)


def test_what_was_not_seen_stays_away_and_seeds_decide(standing_person: Person) -> None:
    track = standing_person(3)
    changed = change_bones(track, 0.2, seed=1)
    unseen = track.joint_confidence == 0
    np.testing.assert_array_equal(changed.joints_cam_m[unseen], track.joints_cam_m[unseen])
    assert change_bones(track, 0.2, seed=1) == changed
    assert change_bones(track, 0.2, seed=2) != changed
    assert change_bones(track, 0.0, seed=1) is track


def test_colours_change_for_a_whole_window_and_black_stays_black() -> None:
    crops = np.random.default_rng(0).integers(60, 190, (3, 8, 8, 3), dtype=np.uint8)
    crops[1] = 0
    crops[2] = crops[0]
    changed = change_colours(crops, 0.2, seed=5)
    assert (changed[1] == 0).all()
    np.testing.assert_array_equal(changed[0], changed[2])
    assert np.abs(changed[0].astype(int) - crops[0]).mean() > 4
    # The order of what is dark and bright stays: an expression is still the same.
    for colour in range(3):
        order = np.argsort(crops[0, ..., colour].ravel(), kind="stable")
        assert (np.diff(changed[0, ..., colour].ravel()[order].astype(int)) >= 0).all()
    np.testing.assert_array_equal(change_colours(crops, 0.2, seed=5), changed)
    assert change_colours(crops, 0.0, seed=5) is crops
