"""Meshes of body and head in place of skeleton and sphere: where they are, what hides what, what moves them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, JOINT_NAMES, LIMB_BONES, MIRROR, joint_index
from dreamactor_signals.body_models.anny import AnnyBody
from dreamactor_signals.body_models.makehuman.joints import with_midpoints
from dreamactor_signals.draw import control_maps, overlay
from dreamactor_signals.draw.mesh.posing import pose_bones
from dreamactor_signals.draw.mesh.triangles import paint_triangles

Person = Callable[..., MotionTrack]
SIZE = (480, 640)
RED, BLUE = (200.0, 0.0, 0.0), (0.0, 0.0, 200.0)


def lit(maps: np.ndarray) -> np.ndarray:
    """(H, W) bool, where the first frame's three planes show something."""
    return np.asarray(maps[0].any(axis=0))


def without(track: MotionTrack, *parts: str) -> MotionTrack:
    """The track in which joints whose names end so are missing."""
    missing = np.array([name.endswith(parts) for name in JOINT_NAMES])
    joints_cam_m, confidence = track.joints_cam_m.copy(), track.joint_confidence.copy()
    joints_cam_m[:, missing], confidence[:, missing] = 0, 0
    return replace(track, joints_cam_m=joints_cam_m, joint_confidence=confidence)


def test_the_bones_that_carry_joints_carry_them_onto_the_tracks(person: Person, body_m: np.ndarray) -> None:
    # A person of other proportions, turned: arms of one and a half times the length.
    longer_m = body_m.copy()
    longer_m[[joint_index(f"{side}_{joint}") for side in ("left", "right") for joint in ("elbow", "wrist")], 1] += 0.1
    track = person(np.array([0.0, 0.8, -2.0]), body_m=longer_m)
    body = AnnyBody().articulation
    posed = pose_bones(track, body)
    rest_m = with_midpoints(body.joints_mean_m.copy())
    for joint in (j for j, bone in enumerate(body.joint_bones) if bone >= 0):
        # The heel and the toe define the foot's size and turn, its third corner is the ankle.
        if JOINT_NAMES[joint].endswith(("heel", "toe")):
            continue
        bone = body.joint_bones[joint]
        carried_m = posed.linear[:, bone] @ rest_m[joint] + posed.offset_cam_m[:, bone]
        # Knuckles of a hand lie where the average hand of that size has them, fingers where the track has them.
        bound_m = 1e-4 if "_1" not in JOINT_NAMES[joint] else 0.05
        assert np.linalg.norm(carried_m - track.joints_cam_m[:, joint], axis=1).max() < bound_m, JOINT_NAMES[joint]


def test_body_and_head_are_where_skeleton_and_sphere_are(person: Person) -> None:
    track = person(np.array([0.6]), pitch_rad=0.2)
    mesh, sphere = control_maps(track, SIZE, "mesh"), control_maps(track, SIZE)
    assert mesh.shape == sphere.shape == (1, 6, SIZE[1], SIZE[0])
    for joint in ("left_elbow", "right_knee", "left_ankle", "pelvis", "right_wrist"):
        x, y = track.project(track.joints_cam_m)[0, joint_index(joint)].astype(int)
        assert mesh[0, :3, y, x].any(), joint
    bones = lit(sphere[:, :3])
    assert (lit(mesh[:, :3]) & bones).sum() > 0.85 * bones.sum()
    ball, head = lit(sphere[:, 3:]), lit(mesh[:, 3:])
    assert (head & ball).sum() > 0.75 * ball.sum()
    # A face hangs below its skull, and nothing else is in the head's planes.
    assert head.sum() < 2.2 * ball.sum()
    assert np.nonzero(head)[0].mean() > np.nonzero(ball)[0].mean()


def test_the_map_scales_with_its_size(person: Person) -> None:
    track = person(0.3)
    large, small = control_maps(track, SIZE, "mesh"), control_maps(track, (SIZE[0] // 2, SIZE[1] // 2), "mesh")
    averaged = large.reshape(1, 6, SIZE[1] // 2, 2, SIZE[0] // 2, 2).mean(axis=(3, 5))
    assert np.abs(averaged - small).mean() < 0.1


def test_what_faces_the_camera_is_coloured_by_its_normal(person: Person) -> None:
    track = person(0.0)
    planes = control_maps(track, SIZE, "mesh")[0, :3].astype(float)
    x, y = track.project(track.joints_cam_m)[0, joint_index("pelvis")].astype(int)
    # The belly faces the camera: no normal away from it, and as much to the left as to the right around the middle.
    assert planes[2, y - 20, x] < 60
    assert planes[0, y - 20, x - 10] < planes[0, y - 20, x] < planes[0, y - 20, x + 10]


def test_the_nearer_triangle_hides_the_farther_in_whatever_order() -> None:
    corners = np.array([(2.0, 2.0), (2.0, 28.0), (28.0, 2.0)])
    points_px = np.concatenate([corners, corners + 3.0])
    depth_m = np.array([2.0, 2.0, 2.0, 1.0, 1.0, 1.0])
    colours = np.array([RED] * 3 + [BLUE] * 3)
    pictures = []
    for order in ([0, 1], [1, 0]):
        planes = np.zeros((3, 32, 32), np.uint8)
        paint_triangles(planes, points_px, depth_m, colours, np.ones(6), np.arange(6).reshape(2, 3)[order], 1.0)
        pictures.append(planes)
    np.testing.assert_array_equal(*pictures)
    assert tuple(pictures[0][:, 8, 8]) == BLUE
    assert tuple(pictures[0][:, 3, 10]) == RED
    # From behind there is nothing to be seen of either.
    planes = np.zeros((3, 32, 32), np.uint8)
    paint_triangles(planes, points_px, depth_m, colours, np.ones(6), np.array([(0, 2, 1), (3, 5, 4)]), 1.0)
    assert not planes.any()


def test_an_arm_before_the_body_hides_it_and_behind_it_is_hidden(person: Person) -> None:
    track = person(0.0)
    # Bone i ends at joint i + 1.
    arm = np.concatenate([LIMB_BONES[f"left_{limb}"] + 1 for limb in ("upper_arm", "forearm", "hand")])

    def moved(depth_m: float) -> np.ndarray:
        joints = track.joints_cam_m.copy()
        # Straight before or behind the belly, as seen by the camera.
        target = joints[0, joint_index("pelvis")] + (0.0, -0.2, depth_m)
        joints[0, arm] += target - joints[0, joint_index("left_wrist")]
        return control_maps(replace(track, joints_cam_m=joints), SIZE, "mesh")[0, :3].astype(int)

    gone = control_maps(without(track, *(JOINT_NAMES[j] for j in arm)), SIZE, "mesh")[0, :3].astype(int)
    x, y = track.project(track.joints_cam_m[0, 0] + np.array((0.0, -0.2, 0.0))).astype(int)
    belly = np.s_[:, y - 4 : y + 5, x - 4 : x + 5]
    assert np.abs(moved(-0.4)[belly] - gone[belly]).mean() > 10
    np.testing.assert_array_equal(moved(0.4)[belly], gone[belly])


def test_what_is_not_seen_is_not_drawn_and_leaves_the_rest(person: Person) -> None:
    track = person(0.0)
    whole = control_maps(track, SIZE, "mesh")
    armless = control_maps(without(track, "left_elbow", "left_wrist"), SIZE, "mesh")
    x, y = track.project(track.joints_cam_m)[0, joint_index("left_elbow")].astype(int)
    assert whole[0, :3, y, x].any()
    assert not armless[0, :3, y - 10 : y + 10, x - 4 : x + 5].any()
    mirrored = track.project(track.joints_cam_m)[0, MIRROR[joint_index("left_elbow")]].astype(int)
    assert armless[0, :3, mirrored[1], mirrored[0]].any()
    nobody = replace(track, joint_confidence=np.zeros((1, JOINT_COUNT)), joints_cam_m=np.zeros((1, JOINT_COUNT, 3)))
    assert not control_maps(nobody, SIZE, "mesh")[:, :3].any()
    # A head alone keeps its place; a headless body keeps its.
    np.testing.assert_array_equal(lit(control_maps(nobody, SIZE, "mesh")[:, 3:])[:160], lit(whole[:, 3:])[:160])
    headless = control_maps(replace(track, head_confidence=np.zeros(1)), SIZE, "mesh")
    assert not headless[:, 3:].any()
    assert lit(headless[:, :3]).sum() > 0.95 * lit(whole[:, :3]).sum()


def test_a_close_up_without_hips_shows_the_chest_below_the_head(person: Person) -> None:
    track = person(0.0, at_m=(0.0, 0.5, 1.2))
    low = ("hip", "pelvis", "knee", "ankle", "heel", "toe", "elbow", "wrist")
    shown = control_maps(without(track, *low), SIZE, "mesh")
    x, y = track.project(track.joints_cam_m)[0, joint_index("neck")].astype(int)
    assert shown[0, :3, y + 40, x].any()
    assert lit(shown[:, :3]).sum() < 0.8 * lit(control_maps(track, SIZE, "mesh")[:, :3]).sum()


def test_behind_the_camera_nothing_is_drawn(person: Person) -> None:
    assert not control_maps(person(0.0, at_m=(0.0, 0.0, -3.0)), SIZE, "mesh").any()


def test_confidence_dims_and_units_move_the_face(person: Person) -> None:
    track = person(0.0, at_m=(0.0, 0.4, 1.2))
    dim = replace(track, head_confidence=np.full(1, 0.5))
    bright, dimmed = (control_maps(one, SIZE, "mesh")[0, 3:].astype(float).sum() for one in (track, dim))
    assert abs(dimmed / bright - 0.5) < 0.05
    units = np.zeros((1, len(ARKIT_UNITS)))
    rest = control_maps(replace(track, face_units=units), SIZE, "mesh")
    units[:, ARKIT_UNITS.index("jawOpen")] = 1.0
    opened = control_maps(replace(track, face_units=units), SIZE, "mesh")
    np.testing.assert_array_equal(rest[:, :3], opened[:, :3])
    # The jaw drops: the head reaches further down.
    assert np.count_nonzero(rest[:, 3:] != opened[:, 3:]) > 500


def test_the_same_track_gives_the_same_maps_whole_or_frame_by_frame(person: Person) -> None:
    track = person(np.array([0.0, 0.4, 2.5]))
    whole = control_maps(track, SIZE, "mesh")
    np.testing.assert_array_equal(whole, control_maps(track, SIZE, "mesh"))
    for frame in range(3):
        np.testing.assert_array_equal(whole[frame : frame + 1], control_maps(track[frame : frame + 1], SIZE, "mesh"))
    assert (whole[0] != whole[1]).any()
    assert (whole[1] != whole[2]).any()


def test_the_overlay_lets_the_picture_show_through(person: Person) -> None:
    track, image = person(0.0), np.full((640, 480, 3), 100, np.uint8)
    drawn = overlay(image, replace(track, face_confidence=np.zeros(1)), 0, "mesh")
    mesh = control_maps(track, SIZE, "mesh")
    assert (drawn[~(lit(mesh[:, :3]) | lit(mesh[:, 3:]))] == 100).all()
    x, y = track.project(track.joints_cam_m)[0, joint_index("right_knee")].astype(int)
    assert np.abs(drawn[y, x] - (100 + mesh[0, :3, y, x].astype(int)) / 2).max() <= 1
