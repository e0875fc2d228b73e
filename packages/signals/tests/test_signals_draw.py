"""Skeleton and head sphere against slow rasterisers written from their definitions, and read back from their pixels."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BONE_COLOURS, BONES, joint_index
from dreamactor_signals.draw import control_maps, overlay
from dreamactor_signals.draw.canvas import Canvas
from dreamactor_signals.draw.capsules import paint_capsules
from dreamactor_signals.draw.skeleton import draw_skeletons
from dreamactor_signals.draw.sphere import draw_spheres
from dreamactor_signals.head_angles import angles_of_rotation
from hypothesis import given, settings
from hypothesis import strategies as st

Person = Callable[..., MotionTrack]
_TO_HIPS = np.flatnonzero(np.isin(BONES[:, 1], [joint_index("left_hip"), joint_index("right_hip")]))


def _pixel_centers(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:height, :width] + 0.5
    return x, y


def _lay_over(image: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.floor(image + coverage[..., None] * (colour - image) + 0.5)


def slow_capsules(
    image: np.ndarray, ends_px: np.ndarray, colours: np.ndarray, half_widths_px: np.ndarray, opacity: float
) -> np.ndarray:
    """Every pixel's distance to every segment."""
    x, y = _pixel_centers(*image.shape[:2])
    result = image.astype(np.float64)
    for (x0, y0, x1, y1), colour, half_width in zip(ends_px, colours, half_widths_px, strict=True):
        along = np.array([x1 - x0, y1 - y0])
        share = ((x - x0) * along[0] + (y - y0) * along[1]) / max(float(along @ along), 1e-300)
        share = np.clip(share, 0, 1)
        distance = np.hypot(x - x0 - share * along[0], y - y0 - share * along[1])
        result = _lay_over(result, opacity * np.clip(half_width + 0.5 - distance, 0, 1), colour)
    return result.astype(np.uint8)


def slow_sphere(track: MotionTrack, size: tuple[int, int]) -> np.ndarray:
    """Every pixel's normal on the first frame's sphere."""
    scale = size[0] / track.frame_size[0]
    center_px = track.project(track.head_center_cam_m[0].astype(float)) * scale
    radius_px = scale * track.focal_px * track.head_radius_m[0] / track.head_center_cam_m[0, 2]
    x, y = _pixel_centers(size[1], size[0])
    offset = np.stack([x, y], axis=-1) - center_px
    distance = np.linalg.norm(offset, axis=-1)
    flat = offset / np.maximum(distance, radius_px)[..., None]
    toward = -np.sqrt(np.clip(1 - (flat**2).sum(axis=-1), 0, None))
    normal_cam = np.concatenate([flat, toward[..., None]], axis=-1)
    colour = (normal_cam @ track.head_rotation[0] * 0.5 + 0.5) * 255 * track.head_confidence[0]
    coverage = np.clip(radius_px + 0.5 - distance, 0, 1)
    return _lay_over(np.zeros((size[1], size[0], 3)), coverage, colour).astype(np.uint8)


_coordinates = st.floats(-60, 130)


@settings(max_examples=60, deadline=None)
@given(
    capsules=st.lists(
        st.tuples(_coordinates, _coordinates, _coordinates, _coordinates, st.floats(0.1, 12)), min_size=1, max_size=6
    ),
    opacity=st.sampled_from([1.0, 0.4]),
    seed=st.integers(0, 2**32 - 1),
)
def test_capsules_equal_the_slow_rasteriser(capsules: list[tuple[float, ...]], opacity: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.array(capsules)
    image = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    colours = rng.uniform(0, 255, (len(table), 3))
    slow = slow_capsules(image, table[:, :4], colours, table[:, 4], opacity)
    paint_capsules(image.transpose(2, 0, 1), table[:, :4].copy(), colours, table[:, 4].copy(), opacity)
    assert np.abs(image.astype(int) - slow).max() <= 1


@pytest.mark.parametrize(
    "ends",
    [
        (10.0, 10.0, 10.0, 10.0),
        (3.0, 20.0, 60.0, 20.0),
        (20.5, 2.0, 20.5, 40.0),
        (-1e7, -1e7, 1e7, 1e7),
        (-1e30, 5.0, 1e30, 5.0),
    ],
    ids=["point", "level", "upright", "huge", "absurd"],
)
def test_capsules_of_special_shapes(ends: tuple[float, ...]) -> None:
    arguments = np.array([ends]), np.array([[255.0, 128.0, 7.0]]), np.array([3.0]), 1.0
    image = np.zeros((48, 64, 3), np.uint8)
    slow = slow_capsules(image, *arguments)
    paint_capsules(image.transpose(2, 0, 1), *arguments)
    if abs(ends[0]) < 1e20:  # beyond, the slow one has no digits left
        assert np.abs(image.astype(int) - slow).max() <= 1
        assert image.any()


def test_a_bone_outside_the_image_leaves_it_untouched() -> None:
    image = np.full((20, 30, 3), 9, np.uint8)
    ends = np.array([[-50.0, -40, -10, -10], [100, 5, 200, 5], [5, 60, 25, 90]])
    paint_capsules(image.transpose(2, 0, 1), ends, np.full((3, 3), 255.0), np.full(3, 2.0), 1.0)
    assert (image == 9).all()


@pytest.mark.parametrize("size", [(480, 640), (240, 320), (37, 51), (1, 1)])
def test_skeleton_map_equals_the_slow_rasteriser(person: Person, size: tuple[int, int]) -> None:
    track = person(0.6, at_m=np.array([0.0, -0.1, 2.2]), frame_size=(480, 640))
    scale = np.array(size) / (480, 640)
    shorter = min(size)
    half_widths = np.where(BONES[:, 1] < 18, max(shorter / 160, 0.75), max(shorter / 400, 0.5))
    joints_cam_m = track.joints_cam_m[0].astype(np.float64)
    ends = (track.project(joints_cam_m) * scale)[BONES].reshape(-1, 4)
    order = np.argsort(-joints_cam_m[BONES, 2].mean(axis=1), kind="stable")
    black = np.zeros((size[1], size[0], 3), np.uint8)
    slow = slow_capsules(black, ends[order], BONE_COLOURS[order].astype(float), half_widths[order], 1.0)
    fast = control_maps(track, size)[0, :3].transpose(1, 2, 0)
    assert np.abs(fast.astype(int) - slow).max() <= 1


def test_colour_follows_the_less_certain_end(person: Person) -> None:
    track = person()
    confidence = track.joint_confidence.copy()
    confidence[0, joint_index("left_knee")] = 0.5
    faint = control_maps(replace(track, joint_confidence=confidence), (480, 640))[0]
    thigh = track.joints_cam_m[0, [joint_index("left_hip"), joint_index("left_knee")]].mean(axis=0)
    x, y = track.project(thigh).astype(int)
    bone = joint_index("left_knee") - 1
    np.testing.assert_allclose(faint[:3, y, x], BONE_COLOURS[bone] * 0.5, atol=1)


def test_nearer_bones_cover_farther_ones(person: Person, body_m: np.ndarray) -> None:
    # Seen from the person's right, the right arm hides the left one behind it.
    track = person(np.pi / 2, body_m=np.round(body_m, 2))
    picture = control_maps(track, (480, 640))[0, :3]
    colours = {side: BONE_COLOURS[joint_index(f"{side}_elbow") - 1] for side in ("left", "right")}
    assert np.isclose(track.joints_cam_m[0, joint_index("right_elbow"), 2], 2.75)
    counts = {side: (picture == colour[:, None, None]).all(axis=0).sum() for side, colour in colours.items()}
    assert counts["right"] > 5 * max(counts["left"], 1)


def test_unseen_joints_and_joints_behind_the_camera_leave_their_bones_out(person: Person) -> None:
    track = person()
    whole = control_maps(track, (480, 640))[0, :3]
    pelvis = joint_index("pelvis")
    confidence, joints = track.joint_confidence.copy(), track.joints_cam_m.copy()
    confidence[0, pelvis] = 0.1
    joints[0, pelvis, 2] = -1.0
    for changed in (replace(track, joint_confidence=confidence), replace(track, joints_cam_m=joints)):
        picture = control_maps(changed, (480, 640))[0, :3]
        for bone in _TO_HIPS:
            colour = BONE_COLOURS[bone][:, None, None]
            assert (whole == colour).all(axis=0).any()
            assert not (picture == colour).all(axis=0).any()
        assert picture.any()


def test_nobody_leaves_the_maps_black(person: Person) -> None:
    track = person()
    nobody = replace(track, joint_confidence=track.joint_confidence * 0, head_confidence=track.head_confidence * 0)
    assert not control_maps(nobody, (96, 128)).any()


@pytest.mark.parametrize("size", [(480, 640), (120, 160), (33, 44)])
def test_sphere_equals_the_slow_one(person: Person, size: tuple[int, int]) -> None:
    track = replace(person(0.4, pitch_rad=-0.3, roll_rad=0.2), head_confidence=np.array([0.8]))
    fast = control_maps(track, size)[0, 3:].transpose(1, 2, 0)
    assert np.abs(fast.astype(int) - slow_sphere(track, size)).max() <= 1


def test_a_sphere_across_the_edge_is_cut(person: Person) -> None:
    track = person(at_m=np.array([-0.75, 0.0, 1.6]))
    center_px = track.project(track.head_center_cam_m)[0]
    assert -20 < center_px[0] < 20
    fast = control_maps(track, (480, 640))[0, 3:].transpose(1, 2, 0)
    assert fast.any()
    assert np.abs(fast.astype(int) - slow_sphere(track, (480, 640))).max() <= 1


def decode_rotation(sphere: np.ndarray) -> np.ndarray:
    """(3, 3) head rotation from the pixels of a sphere map (H, W, 3) alone: its disc, then its colours."""
    rows, columns = np.nonzero(sphere.any(axis=-1))
    x, y = columns + 0.5, rows + 0.5
    left, right, top, bottom = x.min(), x.max(), y.min(), y.max()
    radius = (right - left + bottom - top + 2) / 4
    flat = np.stack([x - (left + right) / 2, y - (top + bottom) / 2], axis=-1) / radius
    inside = (flat**2).sum(axis=-1) < 0.85
    flat = flat[inside]
    normal_cam = np.concatenate([flat, -np.sqrt(1 - (flat**2).sum(axis=-1, keepdims=True))], axis=-1)
    normal_head = sphere[rows, columns][inside] / 127.5 - 1
    u, _, vt = np.linalg.svd(normal_cam.T @ normal_head)
    return u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt


@settings(max_examples=40, deadline=None)
@given(yaw=st.floats(-170, 170), pitch=st.floats(-70, 70), roll=st.floats(-80, 80), x_m=st.floats(-0.4, 0.4))
def test_yaw_pitch_and_roll_can_be_read_from_the_pixels(
    person: Person, yaw: float, pitch: float, roll: float, x_m: float
) -> None:
    angles = np.deg2rad([yaw, pitch, roll])
    track = person(angles[0], pitch_rad=angles[1], roll_rad=angles[2], at_m=np.array([x_m, 0.3, 1.5]))
    sphere = control_maps(track, (480, 640))[0, 3:].transpose(1, 2, 0)
    decoded = np.array(angles_of_rotation(decode_rotation(sphere)))
    error = np.rad2deg(np.abs((decoded - angles + np.pi) % (2 * np.pi) - np.pi))
    assert error[1] < 1.5
    # Near straight up or down, yaw and roll turn about nearly the same axis.
    assert (error[[0, 2]] * np.cos(angles[1]) < 1.5).all()


def test_the_sphere_is_as_large_as_the_head_and_at_its_place(person: Person) -> None:
    track = person(at_m=np.array([0.2, 0.4, 1.4]))
    rows, columns = np.nonzero(control_maps(track, (960, 1280))[0, 3:].any(axis=0))
    center_px = track.project(track.head_center_cam_m)[0] * 2
    np.testing.assert_allclose([columns.mean() + 0.5, rows.mean() + 0.5], center_px, atol=0.5)
    radius_px = 2 * track.focal_px * track.head_radius_m[0] / track.head_center_cam_m[0, 2]
    assert abs(np.sqrt(len(rows) / np.pi) - radius_px) < 1.0


def test_maps_have_one_layout(person: Person) -> None:
    maps = control_maps(person(np.linspace(-1, 1, 5)), (64, 48))
    assert maps.shape == (5, 6, 48, 64)
    assert maps.dtype == np.uint8
    assert maps.flags.c_contiguous


def test_drawing_is_the_same_in_any_memory_layout(person: Person) -> None:
    track = person(0.5)
    canvas = Canvas.of(track, track.frame_size)
    planes, pixels = np.zeros((1, 3, 640, 480), np.uint8), np.zeros((1, 640, 480, 3), np.uint8)
    for picture in (planes, pixels.transpose(0, 3, 1, 2)):
        draw_skeletons(picture, track, canvas)
        draw_spheres(picture, track, canvas)
    np.testing.assert_array_equal(planes, pixels.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("size", [(0, 10), (10, -1)])
def test_a_size_that_is_not_positive_is_refused(person: Person, size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="cannot be drawn"):
        control_maps(person(), size)


def test_overlay_shows_skeleton_sphere_and_face_box(person: Person) -> None:
    track = person()
    image = np.full((640, 480, 3), 100, np.uint8)
    drawn = overlay(image, track, 0)
    assert (image == 100).all()
    x0, y0, _, _ = track.face_boxes_px[0].astype(int)
    assert (drawn[y0, x0] > 150).all()
    skeleton = control_maps(track, (480, 640))[0, :3].transpose(1, 2, 0)
    solid = (skeleton == BONE_COLOURS[0]).all(axis=-1)
    np.testing.assert_array_equal(drawn[solid], np.broadcast_to(BONE_COLOURS[0], (solid.sum(), 3)))
    x, y = track.project(track.head_center_cam_m)[0].astype(int)
    # Half transparent: between the image's grey and the map's colour at the centre, (127, 127, 0).
    assert 100 < drawn[y, x, 0] < 127
    assert 0 < drawn[y, x, 2] < 100


def test_overlay_fits_a_scaled_image_and_refuses_a_frame_that_is_not_there(person: Person) -> None:
    track = person()
    small = overlay(np.zeros((320, 240, 3), np.uint8), track, 0)
    rows, _ = np.nonzero(small.any(axis=-1))
    full = overlay(np.zeros((640, 480, 3), np.uint8), track, 0)
    full_rows, _ = np.nonzero(full.any(axis=-1))
    np.testing.assert_allclose([rows.min(), rows.max()], [full_rows.min() / 2, full_rows.max() / 2], atol=2)
    with pytest.raises(InputError, match="frames 0 to 0"):
        overlay(np.zeros((640, 480, 3), np.uint8), track, 1)
