"""How clothes go beyond the bones, on pictures made for it: where every thread goes is known."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_core.surfaces import BODY_SURFACES, SURFACE_TERMS
from dreamactor_signals.flow import with_surfaces
from dreamactor_signals.plane import pixel_centers
from dreamactor_signals.warp import ReferenceWarp
from dreamactor_signals.warp.flat import Flat, FlatPiece
from dreamactor_signals.warp.parts import LIMBS, NECK, TORSO
from dreamactor_signals.warp.placing import place_parts
from dreamactor_signals.warp.surface import resting, shown

SIDE, COUNT = 256, 12
TRUNK = BODY_SURFACES.index(TORSO)


def cloth(seed: int, softness: float) -> np.ndarray:
    """(SIDE, SIDE, 3) float32 of blurred noise: something to hold on to everywhere."""
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), softness)
    return (127 + 45 * soft / soft.std()).clip(0, 255)


def sliding(amount: float) -> np.ndarray:
    """(2, K) of a trunk that turns: down a little, and across the more the farther across."""
    motion = np.zeros((2, SURFACE_TERMS))
    motion[0, 0], motion[1, 0], motion[1, 2], motion[1, 5] = 0.04, 0.08, 0.03, -0.04
    return amount * motion


@pytest.fixture
def still(person) -> MotionTrack:
    """Somebody near whose bones do not move."""
    at_m = np.tile([0.0, 0.3, 1.7], (COUNT, 1))
    track = person(np.zeros(COUNT), at_m=at_m, focal_px=420.0, frame_size=(SIDE, SIDE))
    return replace(track, surface_motion=None, fps=Fraction(25))


def part_of(track: MotionTrack, name: str, frame: int = 0) -> Flat:
    part = place_parts(track, frame)[name]
    assert isinstance(part, Flat)
    return part


def trunk_of(track: MotionTrack) -> Flat:
    return part_of(track, TORSO)


def pictured(part: Flat, reach: float, motion_2K: np.ndarray | None = None) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: the part as cloth, moved, before soft scenery."""
    share_HW1 = (part.distance(pixel_centers((SIDE, SIDE))) < reach).astype(np.float32)[..., None]
    piece = FlatPiece(part, np.concatenate([cloth(1, 1.5) * share_HW1, share_HW1], axis=-1))
    picture_HWC = cloth(2, 6.0)
    piece.moved(replace(part, motion_2K=motion_2K)).lay_over(picture_HWC)
    return picture_HWC.round().astype(np.uint8)


def filmed(track: MotionTrack) -> list[np.ndarray]:
    """A trunk that slides ever farther."""
    return [pictured(trunk_of(track), 1.4, sliding(frame / (len(track) - 1))) for frame in range(len(track))]


def test_tracks_name_every_flat_part() -> None:
    assert set(BODY_SURFACES) == {TORSO, NECK, *(limb.name for limb in LIMBS)}


def test_what_rests_is_shown_where_it_is_seen() -> None:
    motion, points = sliding(1.0), np.random.default_rng(0).uniform(-1, 1, (40, 2))
    np.testing.assert_allclose(shown(resting(points, motion), motion), points, atol=2e-3)
    assert np.abs(resting(points, motion) - points).max() > 0.05
    np.testing.assert_array_equal(resting(points, None), points)
    np.testing.assert_array_equal(shown(points, None), points)


def test_clothes_that_slide_on_a_still_trunk_are_followed(still: MotionTrack) -> None:
    seen = with_surfaces(still, filmed(still))
    assert seen.surface_motion is not None
    np.testing.assert_allclose(seen.surface_motion[0], 0, atol=0.01)
    points = np.stack(np.meshgrid(np.linspace(0, 0.8, 5), np.linspace(-0.8, 0.8, 5)), axis=-1)
    to_px = trunk_of(still).matrix()[:2, :2].T
    for frame in range(3, COUNT - 1):
        wanted = resting(points, sliding(frame / (COUNT - 1)))
        off_px = (resting(points, seen.surface_motion[frame, TRUNK]) - wanted) @ to_px
        assert np.abs((points - wanted) @ to_px).max() > 1
        assert np.linalg.norm(off_px, axis=-1).mean() < 0.35
    assert replace(seen, surface_motion=None) == still


def test_a_warp_shows_what_was_filmed(still: MotionTrack) -> None:
    frames = filmed(still)
    seen = with_surfaces(still, frames)
    inside_HW = trunk_of(still).distance(pixel_centers((SIDE, SIDE))) < 0.5

    def off(track: MotionTrack) -> float:
        made = ReferenceWarp(frames[0], track[:1], learned=False).frames(track)
        return float(np.abs(made[-2].astype(float) - frames[-2])[inside_HW].mean())

    assert off(seen) < 0.4 * off(still)


def test_a_picture_from_the_middle_of_a_clip_goes_both_ways(still: MotionTrack) -> None:
    frames = filmed(still)
    seen = with_surfaces(still, frames)
    made = ReferenceWarp(frames[6], seen[6:7], learned=False).frames(seen)
    inside_HW = trunk_of(still).distance(pixel_centers((SIDE, SIDE))) < 0.5
    before, after, now = (np.abs(made[at].astype(float) - frames[at])[inside_HW].mean() for at in (0, -1, 6))
    assert now < 2
    assert max(before, after) < 0.5 * np.abs(frames[0].astype(float) - frames[-1])[inside_HW].mean()


def test_cloth_without_texture_goes_with_its_bones(still: MotionTrack) -> None:
    blank = np.full((SIDE, SIDE, 3), 127, np.uint8)
    seen = with_surfaces(still, [blank] * COUNT)
    np.testing.assert_array_equal(seen.surface_motion, 0)


def test_what_is_lost_fades(still: MotionTrack) -> None:
    frames = filmed(still)[::8]
    other = np.random.default_rng(3).integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)
    seen = with_surfaces(still[[0] * 12], [frames[0], *[frames[1]] * 5, *[other] * 6])
    assert seen.surface_motion is not None
    amounts = np.abs(seen.surface_motion[:, TRUNK]).max(axis=(1, 2))
    assert amounts[4] > 0.05
    assert amounts[-1] < 0.5 * amounts[4]
    assert (np.diff(amounts[6:]) <= 1e-6).all()


def test_who_comes_later_is_followed_from_there(still: MotionTrack) -> None:
    """And a video that ends before its track leaves the rest as it was."""
    frames, gone = filmed(still), np.zeros(COUNT)
    gone[2:] = 1
    late = replace(
        still,
        joint_confidence=still.joint_confidence * gone[:, None],
        head_confidence=still.head_confidence * gone,
        joints_cam_m=still.joints_cam_m * gone[:, None, None],
    )
    seen = with_surfaces(late, frames[:-1])
    assert seen.surface_motion is not None
    np.testing.assert_allclose(seen.surface_motion[:2], 0, atol=0.01)
    np.testing.assert_allclose(seen.surface_motion[-1], seen.surface_motion[-2], atol=0.01)
    assert np.abs(seen.surface_motion[-1, TRUNK]).max() > 0.02
    nobody = replace(late, joint_confidence=0 * late.joint_confidence, head_confidence=0 * late.head_confidence)
    np.testing.assert_array_equal(with_surfaces(nobody, frames).surface_motion, 0)


def test_motion_is_the_same_in_a_larger_picture(still: MotionTrack) -> None:
    large = replace(
        still, focal_px=3 * still.focal_px, principal_px=3 * still.principal_px, frame_size=(3 * SIDE, 3 * SIDE)
    )
    frames = filmed(still)
    grown = [cv2.resize(frame, (3 * SIDE, 3 * SIDE), interpolation=cv2.INTER_CUBIC) for frame in frames]
    small, seen = with_surfaces(still, frames), with_surfaces(large, grown)
    assert small.surface_motion is not None
    assert seen.surface_motion is not None
    np.testing.assert_allclose(seen.surface_motion[:, TRUNK], small.surface_motion[:, TRUNK], atol=0.03)


def test_limbs_go_with_their_sleeves(still: MotionTrack) -> None:
    """An elbow that is read beside where it is: the sleeve is found where it is seen."""
    elbow = joint_index("left_elbow")
    arm = BODY_SURFACES.index("left_upper_arm")
    place = part_of(still, "left_upper_arm")
    joints_cam_m = still.joints_cam_m.copy()
    joints_cam_m[1:, elbow, 0] += 0.03
    misread = replace(still, joints_cam_m=joints_cam_m)
    seen = with_surfaces(misread, [pictured(place, 1.2)] * COUNT)
    assert seen.surface_motion is not None
    now = part_of(misread, "left_upper_arm", 3)
    end_px = now.pixels(np.array([1.0, 0.0])) - place.pixels(np.array([1.0, 0.0]))
    # What is seen far out on the true bone.
    found = place.pixels(resting(now.own(place.pixels(np.array([[0.8, 0.0]]))), seen.surface_motion[3, arm]))
    assert np.linalg.norm(end_px) > 4
    assert np.linalg.norm(found - place.pixels(np.array([0.8, 0.0]))) < 0.4 * np.linalg.norm(0.8 * end_px)
