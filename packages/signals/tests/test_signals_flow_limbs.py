"""A second look at limbs made for it: how their joints move is known to the pixel."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_signals.flow import look_again
from dreamactor_signals.flow.limbs import BONES, CHAINS, limb_steps, steady_limbs
from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp.flat import Flat, FlatPiece
from dreamactor_signals.warp.placing import place_parts

SIDE, COUNT = 320, 12
ELBOW, WRIST, FINGER = (joint_index(f"left_{name}") for name in ("elbow", "wrist", "middle_2"))
LEFT_ARM = next(number for number, chain in enumerate(CHAINS) if chain.joints[1] == ELBOW)


def noise(seed: int, softness: float) -> np.ndarray:
    """(SIDE, SIDE) something to hold on to everywhere."""
    rough = np.random.default_rng(seed).normal(size=(SIDE, SIDE)).astype(np.float32)
    soft = cv2.GaussianBlur(rough, (0, 0), softness)
    return (127 + 45 * soft / soft.std()).clip(0, 255)


@pytest.fixture
def waving(person) -> MotionTrack:
    """Somebody near whose left arm moves beside the body, hand and all; the track is exact."""
    track = person(np.zeros(COUNT), at_m=np.tile([0.0, 0.25, 1.6], (COUNT, 1)), focal_px=480.0, frame_size=(SIDE, SIDE))
    joints_cam_m = track.joints_cam_m.copy()
    wave = np.linspace(0, 4, COUNT)
    hand = list(CHAINS[LEFT_ARM].carried)
    joints_cam_m[:, [ELBOW, WRIST, *hand], 0] += 0.12
    joints_cam_m[:, ELBOW, :2] += 0.04 * np.stack([np.sin(wave), np.cos(wave)], axis=-1)
    joints_cam_m[:, [WRIST, *hand], :2] += 0.05 * np.stack([np.sin(wave + 1), np.cos(wave)], axis=-1)[:, None]
    return replace(track, joints_cam_m=joints_cam_m)


def filmed(track: MotionTrack) -> list[np.ndarray]:
    """(SIDE, SIDE) uint8 each: limbs of cloth before soft scenery, stretched as bones are."""
    centers_HW2 = pixel_centers((SIDE, SIDE))
    pieces = {}
    for seed, (name, part) in enumerate(place_parts(track, 0).items()):
        if name in BONES and isinstance(part, Flat):
            share_HW = (part.distance(centers_HW2) < 1).astype(np.float32)
            pieces[name] = FlatPiece(part, np.stack([noise(seed, 1.5) * share_HW] * 3 + [share_HW], axis=-1))
    frames = []
    for frame in range(len(track)):
        picture_HW = noise(99, 8.0)
        for name, piece in pieces.items():
            now = place_parts(track, frame)[name]
            assert isinstance(now, Flat)
            piece.moved(now).lay_over(picture_HW[..., None])
        frames.append(picture_HW.round().astype(np.uint8))
    return frames


def misread(track: MotionTrack) -> MotionTrack:
    """The elbow now on one side, now on the other, and the hand with it by half."""
    wave = np.linspace(0, 7, COUNT)
    joints_cam_m = track.joints_cam_m.copy()
    off_m = 0.012 * np.stack([np.sin(wave), np.cos(wave)], axis=-1)
    joints_cam_m[:, ELBOW, :2] += off_m
    joints_cam_m[:, [WRIST, *CHAINS[LEFT_ARM].carried], :2] += off_m[:, None] / 2
    return replace(track, joints_cam_m=joints_cam_m)


def arm_mask(track: MotionTrack) -> np.ndarray:
    parts = place_parts(track, 0)
    return np.min([parts[name].distance(pixel_centers((SIDE, SIDE))) for name in CHAINS[LEFT_ARM].bones], axis=0) < 0.9


def test_what_a_tracked_step_lacks_is_found(waving: MotionTrack) -> None:
    frames = filmed(waving)
    tracked = waving.joints_cam_m.copy()
    tracked[1, ELBOW, :2] -= np.array([0.006, -0.004])
    wrong = replace(waving, joints_cam_m=tracked)
    found = limb_steps(frames[0], frames[1], arm_mask(waving), place_parts(wrong, 0), place_parts(wrong, 1))
    elbow_px = waving.project(waving.joints_cam_m[1, ELBOW]) - wrong.project(wrong.joints_cam_m[1, ELBOW])
    assert np.abs(elbow_px).max() > 1
    step = found[LEFT_ARM]
    assert step is not None
    np.testing.assert_allclose(step, [(0, 0), elbow_px, (0, 0)], atol=0.4)
    assert [found[number] for number in range(len(CHAINS)) if number != LEFT_ARM] == [None] * (len(CHAINS) - 1)


def test_limbs_without_texture_or_in_another_picture_tell_nothing(waving: MotionTrack) -> None:
    frames, mask_HW, parts = filmed(waving), arm_mask(waving), place_parts(waving, 0)
    wall = np.full((SIDE, SIDE), 127, np.uint8)
    assert limb_steps(wall, wall, mask_HW, parts, parts) == [None] * len(CHAINS)
    other = np.random.default_rng(5).integers(0, 255, (SIDE, SIDE)).astype(np.uint8)
    assert limb_steps(frames[0], other, mask_HW, parts, parts)[LEFT_ARM] is None
    assert limb_steps(frames[0], frames[1], mask_HW, {}, {}) == [None] * len(CHAINS)


def test_an_arm_goes_with_its_sleeve_and_not_with_what_is_misread(waving: MotionTrack) -> None:
    tracked = misread(waving)
    seen = look_again(tracked, [np.repeat(frame[..., None], 3, axis=-1) for frame in filmed(waving)])

    def unsteady_m(track: MotionTrack, joint: int) -> float:
        return float((track.joints_cam_m - waving.joints_cam_m)[:, joint, :2].std(axis=0).mean())

    for joint in (ELBOW, WRIST, FINGER):
        assert unsteady_m(seen, joint) < 0.4 * unsteady_m(tracked, joint)
    np.testing.assert_array_equal(seen.joints_cam_m[..., 2], tracked.joints_cam_m[..., 2])


def test_limbs_are_not_averaged_across_a_step_that_nobody_knows(waving: MotionTrack) -> None:
    lacks_32 = np.array([(9.0, 9.0), (2.0, 0.0), (0.0, -4.0)])
    nobody: list[np.ndarray | None] = [None] * len(CHAINS)
    known = list(nobody)
    known[LEFT_ARM] = lacks_32
    seen = steady_limbs(waving, [known] + [nobody] * (COUNT - 2))
    shift_px = seen.project(seen.joints_cam_m) - waving.project(waving.joints_cam_m)
    np.testing.assert_allclose(shift_px[:2, ELBOW], [(-1, 0), (1, 0)], atol=0.01)
    for joint in (WRIST, FINGER):
        np.testing.assert_allclose(shift_px[:2, joint], [(0, 2), (0, -2)], atol=0.01)
    # A shoulder is the trunk's.
    shift_px[:, [ELBOW, WRIST, *CHAINS[LEFT_ARM].carried]] = 0
    np.testing.assert_allclose(shift_px, 0, atol=1e-3)


def test_joints_that_were_not_seen_stay_unknown(waving: MotionTrack) -> None:
    joints_cam_m, confidence = waving.joints_cam_m.copy(), waving.joint_confidence.copy()
    joints_cam_m[:, WRIST], confidence[:, WRIST] = 0, 0
    hidden = replace(misread(waving), joints_cam_m=joints_cam_m, joint_confidence=confidence)
    seen = look_again(hidden, [np.repeat(frame[..., None], 3, axis=-1) for frame in filmed(waving)])
    np.testing.assert_array_equal(seen.joints_cam_m[:, WRIST], 0)
    assert np.isfinite(seen.joints_cam_m).all()
