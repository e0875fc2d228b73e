"""A second look at pictures made for it: what trunk and scenery do is known to the pixel."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_signals.flow import look_again
from dreamactor_signals.flow.points import follow
from dreamactor_signals.flow.scenery import scenery_motion
from dreamactor_signals.flow.similarity import moved, similarity
from dreamactor_signals.flow.trunk import steady_trunk

SIDE, COUNT = 320, 12
_TRUNK = ["neck", "left_shoulder", "right_shoulder", "pelvis", "left_hip", "right_hip"]
TRUNK = [joint_index(name) for name in _TRUNK]


def cloth(height: int, width: int, seed: int, softness: float) -> np.ndarray:
    """(height, width, 3) uint8 of blurred noise: something to hold on to everywhere."""
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), softness)
    grey = (127 + 50 * soft / soft.std()).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def shift(image: np.ndarray, x: float, y: float) -> np.ndarray:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return np.asarray(cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101))


@pytest.fixture
def swaying(person) -> MotionTrack:
    """Somebody near, who sways; the joints are exact."""
    sway_m = 0.05 * np.sin(np.linspace(0, 3, COUNT))
    at_m = np.stack([sway_m, np.full(COUNT, 0.45), np.full(COUNT, 2.2)], axis=-1)
    track = person(np.zeros(COUNT), at_m=at_m, focal_px=600.0, frame_size=(SIDE, SIDE))
    return replace(track, scenery_motion=None)


def filmed(track: MotionTrack, pan_px: float) -> list[np.ndarray]:
    """The trunk as a piece of cloth that goes with the neck, before soft scenery that pans."""
    scenery, trunk = cloth(SIDE, SIDE, 0, 6.0), cloth(SIDE, SIDE, 1, 1.5)
    necks_px = track.project(track.joints_cam_m[:, TRUNK])
    corners_px = track.project(track.joints_cam_m[0][TRUNK])[[1, 2, 5, 4]]
    mask = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.float32), corners_px.astype(np.int32), 1.0)
    frames = []
    for frame in range(len(track)):
        x, y = necks_px[frame, 0] - necks_px[0, 0]
        share = shift(mask, x, y)[..., None]
        frames.append((share * shift(trunk, x, y) + (1 - share) * shift(scenery, pan_px * frame, 0)).astype(np.uint8))
    return frames


def test_points_are_found_where_they_went() -> None:
    before, seen = cloth(120, 160, 0, 2.0)[..., 0], np.zeros((120, 160), bool)
    seen[20:100, 20:100] = True
    start, end = follow(before, shift(before, 3.25, -1.5), seen, 15)
    assert len(start) > 40
    assert ((start > 20) & (start < 101)).all()
    np.testing.assert_allclose(np.median(end - start, axis=0), (3.25, -1.5), atol=0.05)


def test_a_wall_without_texture_has_none() -> None:
    flat = np.full((60, 80), 90, np.uint8)
    start, end = follow(flat, flat, np.ones(flat.shape, bool), 15)
    assert start.shape == end.shape == (0, 2)


def test_one_motion_is_found_among_points_that_go_elsewhere() -> None:
    random = np.random.default_rng(0)
    step = np.array([[1.01, -0.02, 4.0], [0.02, 1.01, -2.0]])
    before = random.uniform(0, 200, (100, 2))
    after = moved(step, before) + random.normal(0, 0.05, (100, 2))
    after[:30] += random.uniform(5, 20, (30, 2))
    found = similarity(before, after, radius_px=100.0)
    assert found is not None
    corners = np.array([[0, 0], [200, 0], [0, 200], [200, 200.0]])
    np.testing.assert_allclose(moved(found, corners), moved(step, corners), atol=0.15)


def test_few_points_or_points_that_do_not_agree_tell_nothing() -> None:
    random = np.random.default_rng(0)
    before = random.uniform(0, 200, (60, 2))
    assert similarity(before[:5], before[:5] + 1, 100.0) is None
    assert similarity(before, before + random.uniform(-20, 20, (60, 2)), 100.0) is None


def test_a_trunk_that_turns_has_one_motion_that_is_near_enough() -> None:
    random = np.random.default_rng(2)
    before = random.uniform(0, 200, (80, 2))
    # Its middle goes further than its sides.
    after = before + np.column_stack([3 - 0.9 * (before[:, 0] / 100 - 1) ** 2, np.ones(80)])
    after += random.normal(0, 0.05, (80, 2))
    assert similarity(before, after, 100.0, alike_px=0.1) is None
    found = similarity(before, after, 100.0, alike_px=1.0)
    assert found is not None
    np.testing.assert_allclose(moved(found, np.array([100.0, 100.0])), (102.7, 101), atol=0.4)


def test_points_in_one_place_do_not_turn_the_picture() -> None:
    random = np.random.default_rng(1)
    before = random.uniform(0, 4, (20, 2))
    found = similarity(before, before + np.array([2, 1]) + random.normal(0, 0.1, (20, 2)), 150.0)
    assert found is not None
    np.testing.assert_allclose(moved(found, np.array([300.0, 300.0])), (302, 301), atol=2.0)


def test_a_trunk_goes_with_its_clothes_and_not_with_the_trackers_drift(swaying: MotionTrack) -> None:
    drift_m = np.zeros((COUNT, 1, 3))
    drift_m[:, 0, 1] = 0.05 * np.sin(np.linspace(0, 6, COUNT))
    drift_m[:, 0, 0] = 0.02 * np.cos(np.linspace(0, 9, COUNT))
    joints_cam_m = swaying.joints_cam_m.copy()
    joints_cam_m[:, TRUNK] += drift_m
    seen = look_again(replace(swaying, joints_cam_m=joints_cam_m), filmed(swaying, 0.0))

    def unsteady_m(track: MotionTrack) -> float:
        off_m = (track.joints_cam_m - swaying.joints_cam_m)[:, TRUNK, :2]
        return float(off_m.std(axis=0).mean())

    assert unsteady_m(seen) < 0.2 * unsteady_m(replace(swaying, joints_cam_m=joints_cam_m))
    np.testing.assert_array_equal(seen.joints_cam_m[..., 2], joints_cam_m[..., 2].astype(np.float32))


@pytest.mark.parametrize("pan_px", [0.0, 1.75, -0.4])
def test_scenery_is_seen_to_go_where_the_camera_makes_it_go(swaying: MotionTrack, pan_px: float) -> None:
    motion = look_again(swaying, filmed(swaying, pan_px)).scenery_motion
    assert motion is not None
    went_px = motion[:, :, 2] * swaying.focal_px
    expected_px = np.stack([pan_px * np.arange(COUNT), np.zeros(COUNT)], axis=-1)
    np.testing.assert_allclose(went_px, expected_px, atol=0.3)


def test_a_large_video_is_looked_at_small_and_told_in_its_own_pixels(swaying: MotionTrack) -> None:
    large = [cv2.resize(frame, (3 * SIDE, 3 * SIDE)) for frame in filmed(swaying, 1.0)]
    zoomed = replace(
        swaying,
        focal_px=3 * swaying.focal_px,
        principal_px=3 * swaying.principal_px,
        frame_size=(3 * SIDE, 3 * SIDE),
        face_boxes_px=3 * swaying.face_boxes_px,
    )
    motion = look_again(zoomed, large).scenery_motion
    assert motion is not None
    assert motion[-1, 0, 2] * swaying.focal_px == pytest.approx(COUNT - 1, abs=0.3)


def test_nothing_is_carried_across_a_step_that_nobody_knows(swaying: MotionTrack) -> None:
    """Two shots: in the second the tracker is off to the side, for good."""
    joints_cam_m = swaying.joints_cam_m.copy()
    joints_cam_m[COUNT // 2 :, TRUNK, 0] += 0.3
    cut = replace(swaying, joints_cam_m=joints_cam_m)
    path_px = swaying.project(swaying.joints_cam_m[:, TRUNK[0]])
    steps: list[np.ndarray | None] = [
        np.column_stack([np.eye(2), after - before]) for before, after in pairwise(path_px)
    ]
    steps[COUNT // 2 - 1] = None
    np.testing.assert_allclose(steady_trunk(cut, steps).joints_cam_m, joints_cam_m, atol=1e-4)
    np.testing.assert_array_equal(scenery_motion(cut, steps)[COUNT // 2], scenery_motion(cut, steps)[COUNT // 2 - 1])


def test_a_steadied_trunk_moves_no_other_joint(swaying: MotionTrack) -> None:
    joints_cam_m = swaying.joints_cam_m.copy()
    joints_cam_m[:, TRUNK, 1] += 0.05 * np.sin(np.linspace(0, 6, COUNT))[:, None]
    path_px = swaying.project(swaying.joints_cam_m[:, TRUNK[0]])
    steps = [np.column_stack([np.eye(2), after - before]) for before, after in pairwise(path_px)]
    seen = steady_trunk(replace(swaying, joints_cam_m=joints_cam_m), steps)
    assert not np.allclose(seen.joints_cam_m[:, TRUNK], joints_cam_m[:, TRUNK], atol=1e-3)
    others = np.setdiff1d(np.arange(joints_cam_m.shape[1]), TRUNK)
    np.testing.assert_allclose(seen.joints_cam_m[:, others], swaying.joints_cam_m[:, others], atol=1e-6)


def test_joints_that_were_not_seen_stay_unknown(swaying: MotionTrack) -> None:
    joints_cam_m, confidence = swaying.joints_cam_m.copy(), swaying.joint_confidence.copy()
    joints_cam_m[:, TRUNK[3:]], confidence[:, TRUNK[3:]] = 0, 0
    portrait = replace(swaying, joints_cam_m=joints_cam_m, joint_confidence=confidence)
    assert (look_again(portrait, filmed(swaying, 0.0)).joints_cam_m[:, TRUNK[3:]] == 0).all()


def test_a_track_of_one_frame_or_longer_than_its_video_is_none_the_worse(swaying: MotionTrack) -> None:
    frames = filmed(swaying, 1.0)
    for track, shown in ((swaying[:1], frames[:1]), (swaying, frames[:4]), (swaying, [])):
        seen = look_again(track, shown)
        assert seen.scenery_motion is not None
        assert seen.scenery_motion.shape == (len(track), 2, 3)
        np.testing.assert_array_equal(
            seen.scenery_motion[len(shown) :], seen.scenery_motion[-1:].repeat(max(0, len(track) - len(shown)), axis=0)
        )


def test_where_nobody_is_everything_is_scenery(swaying: MotionTrack) -> None:
    nobody = replace(
        swaying,
        joint_confidence=np.zeros_like(swaying.joint_confidence),
        head_confidence=np.zeros(COUNT),
    )
    still = [cloth(SIDE, SIDE, 0, 4.0)] * COUNT
    seen = look_again(nobody, [shift(frame, 2.0 * index, 0) for index, frame in enumerate(still)])
    assert seen.scenery_motion is not None
    assert seen.scenery_motion[-1, 0, 2] * swaying.focal_px == pytest.approx(2 * (COUNT - 1), abs=0.3)
