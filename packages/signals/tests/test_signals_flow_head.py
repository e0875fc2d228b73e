"""A second look at a head made for it: how it moves is known to the pixel."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.flow import look_again
from dreamactor_signals.flow.head import head_step, steady_head
from dreamactor_signals.rotations import rotation_of_vector, vector_of_rotation
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_mesh import head_mesh
from dreamactor_signals.warp.parts import HEAD
from dreamactor_signals.warp.placing import place_parts

SIDE, COUNT = 256, 12


def filmed(head: Head) -> np.ndarray:
    """(SIDE, SIDE) uint8: a head that wears waves of all directions, before a grey wall."""
    random = np.random.default_rng(0)
    waves, phases = random.normal(0, 9, (24, 3)), random.uniform(0, 2 * np.pi, 24)
    mesh = head_mesh()
    colours_V = np.sin(mesh.points @ waves.T + phases).sum(axis=-1)
    on_HW, colours_HW1 = head.surface((SIDE, SIDE), mesh.shaped(head.units), colours_V[:, None])
    grey_HW = np.where(on_HW, 127 + 20 * colours_HW1[..., 0], 127).clip(0, 255).astype(np.uint8)
    return cv2.GaussianBlur(grey_HW, (0, 0), 0.7)


def moved(
    head: Head, shift_px: Sequence[float] = (0, 0), growth: float = 0.0, turn: Sequence[float] = (0, 0, 0)
) -> Head:
    return replace(
        head,
        center_px=head.center_px + np.array(shift_px),
        skull_px=head.skull_px * float(np.exp(growth)),
        rotation=rotation_of_vector(np.array(turn, float)) @ head.rotation,
    )


@pytest.fixture
def head() -> Head:
    """In the middle, a little turned."""
    return Head(np.array([128.0, 120.0]), 50.0, rotation_of_vector(np.array([0.1, 0.3, 0.0])), 1.0)


@pytest.fixture
def looking(person) -> MotionTrack:
    """A head that turns from side to side, comes nearer and sways; the track is exact."""
    phase = np.linspace(0, 3, COUNT)
    at_m = np.stack([0.03 * np.sin(phase), np.full(COUNT, 0.65), 2.0 - 0.05 * phase], axis=-1)
    return replace(person(0.4 * np.sin(phase), at_m=at_m, focal_px=900.0, frame_size=(SIDE, SIDE)), face_units=None)


def heads(track: MotionTrack) -> list[Head]:
    placed = [place_parts(track, frame)[HEAD] for frame in range(len(track))]
    return [head for head in placed if isinstance(head, Head)]


def frames(track: MotionTrack) -> list[np.ndarray]:
    return [np.repeat(filmed(head)[..., None], 3, axis=-1) for head in heads(track)]


def misread(track: MotionTrack) -> MotionTrack:
    """Now too large, now too small, and now here, now there, slowly."""
    wave = np.linspace(0, 6, COUNT)
    center_cam_m = track.head_center_cam_m * np.exp(0.04 * np.sin(wave))[:, None]
    center_cam_m[:, :2] += 0.01 * np.stack([np.sin(wave + 1), np.cos(wave)], axis=-1)
    return replace(track, head_center_cam_m=center_cam_m)


def front_px(head: Head) -> np.ndarray:
    """(2,) where the middle of the face is seen. A turn and a shift of the skull behind it look alike."""
    return head.project(head.rotation @ np.array([0.0, 0.0, -1.0]))


@pytest.mark.parametrize(
    ("shift_px", "growth", "turn"),
    [
        ((1.5, -0.8), 0.0, (0.0, 0.0, 0.0)),
        ((0.0, 0.0), 0.02, (0.0, 0.0, 0.0)),
        ((0.0, 0.0), 0.0, (0.0, 0.0, 0.05)),
        ((0.0, 0.0), 0.0, (0.02, 0.02, 0.0)),
        ((-0.7, 1.0), -0.015, (0.0, -0.01, -0.02)),
    ],
)
def test_what_a_tracked_step_lacks_is_found(
    head: Head, shift_px: tuple[float, ...], growth: float, turn: tuple[float, ...]
) -> None:
    tracked = moved(head, (3.0, -2.0), 0.03, (0.02, -0.05, 0.04))
    went = moved(tracked, shift_px, growth, turn)
    found = head_step(filmed(head), filmed(went), head, tracked)
    assert found is not None
    put_right = moved(tracked, found[:2], found[2], found[3:])
    np.testing.assert_allclose(front_px(put_right), front_px(went), atol=0.3)
    assert found[2] == pytest.approx(growth, abs=0.004)
    assert found[5] == pytest.approx(turn[2], abs=0.01)


def test_an_expression_that_was_tracked_is_no_motion_of_the_head(head: Head) -> None:
    units = np.zeros(len(head_mesh().unit_moves))
    calm, lively = replace(head, units=units), replace(head, units=units + 0.4)
    found = head_step(filmed(calm), filmed(lively), calm, lively)
    assert found is not None
    assert np.abs(found[:2]).max() < 0.2


def test_a_head_without_texture_or_another_picture_tells_nothing(head: Head) -> None:
    wall = np.full((SIDE, SIDE), 127, np.uint8)
    assert head_step(wall, wall, head, head) is None
    noise = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE)).astype(np.uint8)
    assert head_step(filmed(head), noise, head, head) is None
    assert head_step(filmed(replace(head, skull_px=5.0)), filmed(head), replace(head, skull_px=5.0), head) is None


def test_a_head_goes_with_its_skin_and_not_with_what_is_misread(looking: MotionTrack) -> None:
    tracked = misread(looking)
    seen = look_again(tracked, frames(looking))

    def unsteady(track: MotionTrack) -> tuple[float, float]:
        places, true = heads(track), heads(looking)
        off_px = [front_px(place) - front_px(other) for place, other in zip(places, true, strict=True)]
        sizes = [place.skull_px / other.skull_px for place, other in zip(places, true, strict=True)]
        return float(np.std(off_px, axis=0).mean()), float(np.std(sizes))

    for after, before in zip(unsteady(seen), unsteady(tracked), strict=True):
        assert after < 0.4 * before
    np.testing.assert_array_equal(seen.head_radius_m, tracked.head_radius_m)
    turns = vector_of_rotation(seen.head_rotation @ looking.head_rotation.transpose(0, 2, 1))
    # A part of what was misread looks like a turn.
    assert np.abs(turns).max() < 0.08


def test_heads_are_not_averaged_across_a_step_that_nobody_knows(looking: MotionTrack) -> None:
    lacks = np.array([2.0, 0.0, 0.05, 0.0, 0.0, 0.02])
    steps: list[np.ndarray | None] = [lacks] + [None] * (COUNT - 2)
    seen = steady_head(looking, steps)
    shift_px = seen.project(seen.head_center_cam_m) - looking.project(looking.head_center_cam_m)
    # The first two frames differ by what their step lacks, and meet in the middle.
    np.testing.assert_allclose(shift_px[:2, 0], (-1.0, 1.0), atol=0.01)
    np.testing.assert_allclose(shift_px[2:], 0, atol=1e-3)
    np.testing.assert_array_equal(seen.head_rotation[2:], looking.head_rotation[2:])


def test_heads_that_were_not_seen_stay_unknown(looking: MotionTrack) -> None:
    confidence, center_cam_m = looking.head_confidence.copy(), looking.head_center_cam_m.copy()
    confidence[4:7], center_cam_m[4:7] = 0, 0
    hidden = replace(looking, head_confidence=confidence, head_center_cam_m=center_cam_m)
    seen = look_again(hidden, frames(looking))
    np.testing.assert_array_equal(seen.head_center_cam_m[4:7], 0)
    assert np.isfinite(seen.head_center_cam_m).all()
    assert np.isfinite(seen.head_rotation).all()
