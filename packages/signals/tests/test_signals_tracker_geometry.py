"""Geometry around the networks, against truth worked out by hand."""

from fractions import Fraction
from math import hypot, pi, radians, tan

import numpy as np
import pytest
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_signals.average_face import average_face
from dreamactor_signals.litert.detector import anchor_centers, merge_overlapping, overlaps
from dreamactor_signals.litert.regions import Region, angle_level, angle_upright, region_around
from dreamactor_signals.rotations import align, nearest_rotation
from dreamactor_signals.trackers.embedded.body import refine_by_heatmap
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.head import head_of_face, ray_rotation
from dreamactor_signals.trackers.embedded.head_calibration import head_calibration
from dreamactor_signals.trackers.embedded.pace import Pace
from dreamactor_signals.trackers.embedded.placement import place_body, place_hand, root_position


def _turn_y(yaw_rad: float) -> np.ndarray:
    """Yaw as the contract has it: positive turns the nose, which points along -z, to the image's right."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


@pytest.mark.parametrize(
    ("grids", "count"), [(((28, 2), (14, 2), (7, 6)), 2254), (((24, 2), (12, 6)), 2016), (((16, 2), (8, 6)), 896)]
)
def test_anchors_are_as_many_as_the_networks_rows(grids: tuple[tuple[int, int], ...], count: int) -> None:
    anchors = anchor_centers(grids)
    assert anchors.shape == (count, 2)
    assert anchors.min() > 0
    assert anchors.max() < 1


def test_anchors_walk_cells_row_by_row() -> None:
    expected = [(0.25, 0.25)] * 2 + [(0.75, 0.25)] * 2 + [(0.25, 0.75)] * 2 + [(0.75, 0.75)] * 2 + [(0.5, 0.5)]
    np.testing.assert_allclose(anchor_centers(((2, 2), (1, 1))), expected)


def test_overlap_of_half_shifted_squares_is_a_third() -> None:
    boxes = np.array([[0.5, 0, 1.5, 1], [0, 0, 1, 1], [2, 2, 3, 3]])
    np.testing.assert_allclose(overlaps(np.array([0.0, 0, 1, 1]), boxes), [1 / 3, 1, 0])


def test_overlapping_detections_are_averaged_by_score_and_distant_ones_kept() -> None:
    values = np.array([[0.0, 0, 1, 1], [0.1, 0, 1.1, 1], [5, 5, 6, 6]])
    merged = merge_overlapping(values, np.array([0.9, 0.3, 0.6]))
    assert [score for score, _ in merged] == [0.9, 0.6]
    np.testing.assert_allclose(merged[0][1], [0.025, 0, 1.025, 1])


def test_region_corner_of_a_quarter_turn() -> None:
    region = Region((10.0, 20.0), 4.0, pi / 2)
    # The crop's top-left corner, (-2, -2) from the centre, turns clockwise on the screen to (2, -2).
    np.testing.assert_allclose(region.to_frame(np.array([0.0, 0.0])), [12, 18], atol=1e-12)
    np.testing.assert_allclose(region.to_crop(np.array([12.0, 18.0])), [0, 0], atol=1e-12)


def test_region_round_trip_and_shift_along_its_own_axes() -> None:
    region = Region((3.0, -2.0), 7.0, 0.6)
    points = np.random.default_rng(0).normal(size=(9, 2))
    np.testing.assert_allclose(region.to_crop(region.to_frame(points)), points, atol=1e-12)
    moved = Region((0.0, 0.0), 10.0, pi / 2).scaled(2.0, shift_crop=(0.0, -0.5))
    assert moved.side_px == 20
    np.testing.assert_allclose(moved.center_px, [5, 0], atol=1e-12)


def test_angles_make_points_upright_and_level() -> None:
    assert angle_upright(np.array([0, 10]), np.array([0, 0])) == pytest.approx(0)
    assert angle_upright(np.array([0, 0]), np.array([10, 0])) == pytest.approx(pi / 2)
    assert angle_level(np.array([0, 0]), np.array([5, 5])) == pytest.approx(pi / 4)


def test_region_around_points_along_a_tilted_axis() -> None:
    points = np.array([[0.0, 0.0], [10.0, 10.0]])
    region = region_around(points, pi / 4)
    np.testing.assert_allclose(region.center_px, [5, 5])
    assert region.side_px == pytest.approx(hypot(10, 10))


def test_crop_copies_pixels_exactly_and_is_black_outside() -> None:
    frame = np.random.default_rng(1).integers(1, 255, (8, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Region((4.0, 4.0), 4.0).crop(frame, 4), frame[2:6, 2:6])
    # A quarter turn clockwise of the window shows the picture turned back.
    np.testing.assert_array_equal(Region((4.0, 4.0), 8.0, pi / 2).crop(frame, 8), np.rot90(frame))
    outside = Region((0.0, 0.0), 8.0).crop(frame, 8)
    assert outside[:4].max() == 0
    np.testing.assert_array_equal(outside[4:, 4:], frame[:4, :4])


def test_crop_averages_when_it_shrinks() -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[::4] = 200
    small = Region((32.0, 32.0), 64.0).crop(frame, 16)
    assert np.abs(small[2:-2].astype(int) - 50).max() <= 2


def test_tiles_cover_the_longer_edge() -> None:
    tiles = Region.tiles(np.zeros((100, 250, 3), np.uint8))
    assert {tile.side_px for tile in tiles} == {100}
    assert tiles[0].center_px == (50, 50)
    assert tiles[-1].center_px == (200, 50)
    assert len(tiles) == 5
    assert len(Region.tiles(np.zeros((100, 100, 3), np.uint8))) == 1


def test_heatmap_moves_a_point_to_the_peak_only_where_it_is_clear() -> None:
    heatmap = np.full((64, 64, 2), -50.0, np.float32)
    heatmap[22, 31, 0] = 50
    moved = refine_by_heatmap(np.array([[30.5, 20.5], [30.5, 20.5]]) / 64, heatmap)
    np.testing.assert_allclose(moved[0], np.array([31, 22]) / 64, atol=1e-6)
    np.testing.assert_allclose(moved[1], np.array([30.5, 20.5]) / 64)


def test_assumed_camera_has_the_asked_diagonal_view_and_no_favourite_orientation() -> None:
    wide, tall = Camera.assumed((1600, 900), 60), Camera.assumed((900, 1600), 60)
    assert wide.focal_px == tall.focal_px == pytest.approx(hypot(800, 450) / tan(radians(30)))
    points = np.random.default_rng(2).normal(size=(5, 3)) + np.array([0, 0, 4])
    np.testing.assert_allclose(wide.unproject(wide.project(points), points[:, 2]), points, atol=1e-12)


def test_root_is_found_exactly_and_outliers_do_not_move_it() -> None:
    rng = np.random.default_rng(3)
    camera = Camera.assumed((640, 480), 55)
    skeleton, root = rng.normal(scale=0.4, size=(33, 3)), np.array([0.3, -0.2, 2.5])
    points_px = camera.project(skeleton + root)
    np.testing.assert_allclose(root_position(points_px, skeleton, np.ones(33), camera), root, atol=1e-9)
    points_px[:4] += 150
    np.testing.assert_allclose(root_position(points_px, skeleton, np.ones(33), camera), root, atol=0.12)
    weights = np.ones(33)
    weights[:4] = 0
    np.testing.assert_allclose(root_position(points_px, skeleton, weights, camera), root, atol=1e-9)


def test_placed_points_lie_on_their_rays_when_seen_and_on_the_skeleton_when_not() -> None:
    rng = np.random.default_rng(4)
    camera = Camera.assumed((640, 480), 55)
    skeleton, root = rng.normal(scale=0.3, size=(1, 33, 3)), np.array([[0.1, 0.0, 2.0]])
    points_px = camera.project(skeleton + root[:, None]) + rng.normal(scale=9, size=(1, 33, 2))
    seen = place_body(points_px, skeleton, np.ones((1, 33)), root, camera)
    np.testing.assert_allclose(camera.project(seen), points_px, atol=1e-9)
    np.testing.assert_allclose(seen[..., 2], skeleton[..., 2] + 2.0)
    hidden = place_body(points_px, skeleton, np.zeros((1, 33)), root, camera)
    np.testing.assert_allclose(hidden, skeleton + root[:, None], atol=1e-9)


def test_hand_keeps_its_shape_at_the_wrists_depth() -> None:
    rng = np.random.default_rng(5)
    camera = Camera.assumed((640, 480), 55)
    hand = rng.normal(scale=0.05, size=(21, 3)) * [1, 1, 0.2]
    # Seen from far, so that perspective within the hand is small; the body says it stands at half that distance.
    points_px = camera.project(hand + np.array([0.5, 0.1, 8.0]))[None]
    placed = place_hand(points_px, hand[None], np.array([4.0]), camera)
    np.testing.assert_allclose(camera.project(placed), points_px, atol=1e-9)
    assert placed[0, 0, 2] == pytest.approx(4.0)
    np.testing.assert_allclose(placed[0, :, 2] - 4.0, 0.5 * (hand[:, 2] - hand[0, 2]), atol=0.003)


def test_alignment_finds_rotation_and_scale_and_never_mirrors() -> None:
    rng = np.random.default_rng(6)
    source = rng.normal(size=(20, 3))
    rotation = nearest_rotation(rng.normal(size=(3, 3)))
    found, scale = align(source, 3 * source @ rotation.T + [1, 2, 3], np.ones(20))
    np.testing.assert_allclose(found, rotation, atol=1e-9)
    assert scale == pytest.approx(3)
    mirrored, _ = align(source, source * [-1, 1, 1], np.ones(20))
    assert np.linalg.det(mirrored) == pytest.approx(1)


def test_ray_rotation_carries_the_optical_axis_onto_the_ray() -> None:
    point = np.array([0.4, -0.3, 1.2])
    rotation = ray_rotation(point)
    np.testing.assert_allclose(rotation @ [0, 0, 1], point / np.linalg.norm(point), atol=1e-12)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_canonical_face_is_an_upright_adult_face_looking_at_the_camera() -> None:
    calibration = head_calibration()
    points = calibration.face.points_head_m
    assert points.shape == (468, 3)
    nose, left_eye, right_eye, chin = points[1], points[263], points[33], points[152]
    assert left_eye[0] > 0 > right_eye[0]
    assert nose[2] < left_eye[2]
    assert chin[1] > nose[1] > left_eye[1]
    assert 0.13 < np.ptp(points[:, 0]) < 0.18
    assert calibration.rigid_indices.max() < 468
    assert calibration.rigid_weights.min() > 0


@pytest.mark.parametrize("yaw_deg", [-50.0, 0.0, 35.0])
def test_head_pose_of_a_projected_canonical_face(yaw_deg: float) -> None:
    """Landmarks of a known pose, with the depths that the network gives: away from the camera, in pixels."""
    camera = Camera.assumed((1280, 720), 55)
    turn, position = _turn_y(radians(yaw_deg)), np.array([0.25, -0.1, 1.5])
    points_cam_m = average_face().points_head_m @ turn.T + position
    # The network sees the face along its own ray.
    along_ray = (points_cam_m - position) @ ray_rotation(position)
    depth_px = along_ray[:, 2] * camera.focal_px / position[2]
    head = head_of_face(camera.project(points_cam_m), depth_px, camera, confidence=1.0)
    error_rad = np.arccos(np.clip((np.trace(head.rotation.T @ turn) - 1) / 2, -1, 1))
    # Landmarks without the network's own faults are corrected a little too far.
    assert np.degrees(error_rad) < 6
    np.testing.assert_allclose(head.center_cam_m, position, atol=0.06)
    nose_cam = -head.rotation[:, 2]
    assert np.sign(nose_cam[0]) == np.sign(yaw_deg) or yaw_deg == 0


def test_pace_turns_seconds_into_frames() -> None:
    pace = Pace.of(SignalsSettings(smooth_image_s=0.1, max_gap_s=0.5), Fraction(30000, 1001))
    assert pace.image == pytest.approx(2.997, abs=1e-3)
    assert pace.max_gap == 15
