"""A warped reference on pictures made for it: what must stay stays, what must move moves."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, JOINT_NAMES, joint_index
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.warp import ReferenceWarp
from dreamactor_signals.warp.placing import place_parts

SIDE, FOCAL_PX, DEPTH_M = 160, 160.0, 4.0
# Of a person who stands with arms stretched out a little; metres from the neck, x right, y down.
_BODY = {
    "neck": (0, 0),
    "pelvis": (0, 0.55),
    "shoulder": (0.2, 0.02),
    "elbow": (0.42, 0.22),
    "wrist": (0.62, 0.40),
    "hip": (0.12, 0.55),
    "knee": (0.15, 1.0),
    "ankle": (0.16, 1.42),
    "heel": (0.16, 1.48),
    "toe": (0.22, 1.50),
}


def standing() -> MotionTrack:
    joints_cam_m = np.zeros((1, JOINT_COUNT, 3), np.float32)
    confidence = np.ones((1, JOINT_COUNT), np.float32)
    for index, name in enumerate(JOINT_NAMES):
        side, _, part = name.partition("_")
        if name in _BODY:
            x, y = _BODY[name]
        elif part in _BODY:
            # The person's left is at the picture's right.
            x, y = _BODY[part][0] * (1 if side == "left" else -1), _BODY[part][1]
        else:
            confidence[0, index], x, y = 0, 0, 0
        joints_cam_m[0, index] = (x, y - 0.5, DEPTH_M)
    joints_cam_m[confidence == 0] = 0
    return MotionTrack(
        joints_cam_m=joints_cam_m,
        joint_confidence=confidence,
        focal_px=FOCAL_PX,
        principal_px=np.array([SIDE / 2, SIDE / 2]),
        frame_size=(SIDE, SIDE),
        fps=Fraction(25),
        head_rotation=np.eye(3)[None],
        head_center_cam_m=np.array([[0, -0.75, DEPTH_M]]),
        head_radius_m=np.array([0.14]),
        head_confidence=np.ones(1),
        face_boxes_px=np.zeros((1, 4)),
        face_confidence=np.zeros(1),
    )


def painted(track: MotionTrack) -> np.ndarray:
    """A person of thick limbs before a smooth wall; left forearm blue, trunk red, legs green, head skin."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    image = np.stack([170 + columns // 8, 180 + rows // 8, 200 - columns // 10], axis=-1).astype(np.uint8)
    px = {name: track.project(track.joints_cam_m[0, joint_index(name)]).astype(int).tolist() for name in JOINT_NAMES}
    for side in ("left", "right"):
        for start, end, colour, width in (
            ("hip", "knee", (20, 120, 30), 7),
            ("knee", "ankle", (20, 120, 30), 6),
            ("shoulder", "elbow", (150, 30, 30), 5),
            ("elbow", "wrist", (20, 30, 160) if side == "left" else (150, 30, 30), 5),
        ):
            cv2.line(image, px[f"{side}_{start}"], px[f"{side}_{end}"], colour, width)
    trunk = np.array([px[name] for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")])
    cv2.fillConvexPoly(image, trunk, (150, 30, 30))
    center = track.project(track.head_center_cam_m[0])
    cv2.circle(image, center.astype(int).tolist(), 7, (200, 140, 110), -1)
    return image


def warped(performance: MotionTrack, image: np.ndarray | None = None) -> np.ndarray:
    """(T, H, W, 3) uint8: the standing person gives the performance."""
    start = standing()
    return ReferenceWarp(painted(start) if image is None else image, start).frames(performance)


def shifted(track: MotionTrack, x_m: float, y_m: float) -> MotionTrack:
    offset_m = np.array([x_m, y_m, 0], np.float32)
    present = (track.joint_confidence > 0)[..., None]
    return replace(
        track,
        joints_cam_m=np.where(present, track.joints_cam_m + offset_m, 0),
        head_center_cam_m=track.head_center_cam_m + offset_m,
    )


def center_of(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(2,) x and y of the pixels of a colour."""
    near = np.abs(image.astype(int) - colour).max(axis=-1) < 25
    assert near.sum() > 20
    rows, columns = np.nonzero(near)
    return np.array([columns.mean(), rows.mean()])


def test_who_does_not_move_is_the_reference_to_the_last_bit() -> None:
    made = warped(standing()[[0, 0]])
    np.testing.assert_array_equal(made, np.repeat(painted(standing())[None], 2, axis=0))


def test_so_does_a_picture_of_noise() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    np.testing.assert_array_equal(warped(standing(), noise)[0], noise)


@pytest.mark.parametrize(("x_px", "y_px"), [(12, 0), (-9, 5), (0.5, -7.25)])
def test_a_shifted_skeleton_shifts_the_person_and_leaves_the_wall(x_px: float, y_px: float) -> None:
    moved = shifted(standing(), x_px * DEPTH_M / FOCAL_PX, y_px * DEPTH_M / FOCAL_PX)
    reference = painted(standing())
    made = warped(moved)[0]
    for colour in ((150, 30, 30), (20, 30, 160), (20, 120, 30), (200, 140, 110)):
        np.testing.assert_allclose(center_of(made, colour) - center_of(reference, colour), (x_px, y_px), atol=0.8)
    # What the person leaves is wall again, not a second person.
    wall = np.abs(made.astype(int) - painted_wall()).max(axis=-1) < 30
    person = np.abs(painted(moved).astype(int) - painted_wall()).max(axis=-1) > 30
    assert (wall | cv2.dilate(person.astype(np.uint8), np.ones((7, 7))).astype(bool)).mean() > 0.995


def painted_wall() -> np.ndarray:
    hidden = shifted(standing(), 100, 0)
    return painted(hidden).astype(int)


def test_a_lifted_forearm_turns_about_its_elbow_and_nothing_else_moves() -> None:
    lifted = standing()
    joints_cam_m = lifted.joints_cam_m.copy()
    elbow, wrist = joint_index("left_elbow"), joint_index("left_wrist")
    reach = joints_cam_m[0, wrist] - joints_cam_m[0, elbow]
    joints_cam_m[0, wrist] = joints_cam_m[0, elbow] + np.array([reach[1], -reach[0], 0])
    lifted = replace(lifted, joints_cam_m=joints_cam_m)
    reference, made = painted(standing()), warped(lifted)[0]
    wanted_px = lifted.project(joints_cam_m[0, [elbow, wrist]]).mean(axis=0)
    np.testing.assert_allclose(center_of(made, (20, 30, 160)), wanted_px, atol=1.5)
    np.testing.assert_array_equal(made[:, : SIDE // 2], reference[:, : SIDE // 2])


def test_a_turning_head_takes_its_face_along_and_shows_no_more_than_the_reference() -> None:
    image = painted(standing())
    x, y = standing().project(standing().head_center_cam_m[0]).astype(int)
    image[y - 1 : y + 2, x - 1 : x + 2] = (0, 0, 0)
    turned = replace(standing(), head_rotation=rotation_of_angles(np.array([0.6]), np.zeros(1), np.zeros(1)))
    made = warped(turned, image)[0]
    radius_px = 0.14 * FOCAL_PX / DEPTH_M
    # A nose turned to the right of the picture by 0.6 rad stands sin(0.6) radii from the middle.
    dark = np.argwhere(made[y - 6 : y + 7, x - 7 : x + 8].max(axis=-1) < 60)
    assert len(dark)
    np.testing.assert_allclose(dark.mean(axis=0) - (6, 7), (0, radius_px * np.sin(0.6)), atol=1)


def test_what_is_not_known_in_a_frame_stays_where_it_was() -> None:
    hidden = replace(standing(), joint_confidence=np.zeros((1, JOINT_COUNT)), head_confidence=np.zeros(1))
    assert place_parts(hidden, 0) == {}
    np.testing.assert_array_equal(warped(hidden)[0], painted(standing()))


def unseen(track: MotionTrack, *names: str) -> MotionTrack:
    confidence = track.joint_confidence.copy()
    confidence[:, [joint_index(name) for name in names]] = 0
    return replace(track, joint_confidence=confidence)


def along_forearm(image: np.ndarray) -> np.ndarray:
    """Of every blue pixel, how far along the left forearm it lies: 0 at the elbow, 1 at the wrist."""
    elbow, wrist = (joint_index(f"left_{name}") for name in ("elbow", "wrist"))
    start_px, end_px = standing().project(standing().joints_cam_m[0, [elbow, wrist]])
    blue_px = np.argwhere(np.abs(image.astype(int) - (20, 30, 160)).max(axis=-1) < 25)[:, ::-1] + 0.5
    return np.asarray((blue_px - start_px) @ (end_px - start_px) / np.square(end_px - start_px).sum())


def test_a_limb_that_a_frame_does_not_show_is_left_out() -> None:
    """But for the elbow, which it shares with the upper arm."""
    reference, made = painted(standing()), warped(unseen(standing(), "left_wrist"))[0]
    assert along_forearm(reference).max() > 1
    assert along_forearm(made).max() < 0.8
    np.testing.assert_array_equal(made[:, : SIDE // 2], reference[:, : SIDE // 2])


def test_a_limb_that_leaves_the_picture_is_placed_all_the_same() -> None:
    """Its joint beyond the edge is seen by nobody, but where it is, is known."""
    aside = shifted(standing(), 1.45, 0)
    ends_px = aside.project(aside.joints_cam_m[0, [joint_index("left_elbow"), joint_index("left_wrist")]])
    assert ends_px[0, 0] < SIDE < ends_px[1, 0]
    assert "left_forearm" in place_parts(unseen(aside, "left_wrist"), 0)
    assert "left_forearm" not in place_parts(unseen(standing(), "left_wrist"), 0)


def test_a_limb_that_the_reference_cuts_off_goes_on_no_farther_than_its_bone() -> None:
    aside = shifted(standing(), 1.45, 0)
    along = along_forearm(ReferenceWarp(painted(aside), aside).frames(standing())[0])
    assert 0.8 < along.max() < 2


def test_a_reference_without_a_person_stays_a_picture() -> None:
    image = painted(standing())
    nobody = replace(standing(), joint_confidence=np.zeros((1, JOINT_COUNT)), head_confidence=np.zeros(1))
    np.testing.assert_array_equal(ReferenceWarp(image, nobody).frames(shifted(standing(), 0.2, 0))[0], image)


def panning(x_px: float, scale: float = 1.0) -> MotionTrack:
    """Two frames of somebody who stands still while the camera finds the scenery moved and grown in the second."""
    moved = np.array([[scale, 0, x_px / FOCAL_PX], [0, scale, 0]])
    return replace(standing()[[0, 0]], scenery_motion=np.stack([np.eye(2, 3), moved]))


def test_the_scenery_goes_with_the_camera_and_the_person_stays() -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    image = painted(standing())
    hill = np.hypot(columns - 20, rows - 40) < 8
    image[hill] = (240, 220, 20)
    made = ReferenceWarp(image, panning(0)[:1]).frames(panning(11))
    np.testing.assert_array_equal(made[0], image)
    np.testing.assert_allclose(center_of(made[1], (240, 220, 20)) - center_of(image, (240, 220, 20)), (11, 0), atol=0.3)
    for colour in ((150, 30, 30), (20, 30, 160), (20, 120, 30), (200, 140, 110)):
        np.testing.assert_allclose(center_of(made[1], colour), center_of(image, colour), atol=0.3)


def test_scenery_grows_about_the_middle_of_the_picture() -> None:
    image = painted_wall().astype(np.uint8)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    image[np.hypot(columns - 119.5, rows - 79.5) < 6] = (240, 220, 20)
    nobody = replace(panning(0, 1.25), joint_confidence=np.zeros((2, JOINT_COUNT)), head_confidence=np.zeros(2))
    made = ReferenceWarp(image, nobody[:1]).frames(nobody)[1]
    np.testing.assert_allclose(center_of(made, (240, 220, 20)), (79.5 + 40 * 1.25, 79.5), atol=0.5)


def test_only_the_way_from_the_pose_to_the_frame_counts() -> None:
    image, start = painted(standing()), panning(7)
    expected = ReferenceWarp(image, panning(0)[:1]).frames(panning(7))[1]
    turned = np.array([[0.9, 0.1, 0.2], [-0.1, 0.9, -0.3]])
    squared = np.stack([np.vstack([motion, [0, 0, 1]]) for motion in start.scenery_motion])
    elsewhere = replace(start, scenery_motion=(squared @ np.vstack([turned, [0, 0, 1]]))[:, :2])
    made = ReferenceWarp(image, elsewhere[:1]).frames(elsewhere)[1]
    assert np.abs(made.astype(int) - expected).max() <= 2


def test_a_pose_of_which_nobody_knows_the_scenery_is_where_tracks_begin() -> None:
    image = painted(standing())
    made = ReferenceWarp(image, standing()).frames(panning(9))
    np.testing.assert_array_equal(made, ReferenceWarp(image, panning(0)[:1]).frames(panning(9)))


def leaving() -> tuple[MotionTrack, np.ndarray]:
    """Somebody of whom the picture ends below the shoulders, elbows guessed, and that picture."""
    track, lift_m = standing(), np.array([0, 2.25, 0])
    joints_cam_m = track.joints_cam_m + np.where(track.joint_confidence[..., None] > 0, lift_m, 0)
    confidence = track.joint_confidence.copy()
    confidence[:, [joint_index(name) for name in JOINT_NAMES if name not in ("neck", *_SHOULDERS)]] = 0
    for part, down_m in (("elbow", 0.9), ("wrist", 1.2)):
        for side in ("left", "right"):
            shoulder_m = joints_cam_m[:, joint_index(f"{side}_shoulder")]
            joints_cam_m[:, joint_index(f"{side}_{part}")] = shoulder_m + np.array([0, down_m, 0])
    track = replace(track, head_center_cam_m=track.head_center_cam_m + lift_m, joints_cam_m=joints_cam_m)
    return replace(track, joint_confidence=confidence), painted(track)


_SHOULDERS = ("left_shoulder", "right_shoulder")
_ELBOWS = [joint_index("left_elbow"), joint_index("right_elbow")]


def test_arms_that_leave_the_picture_go_with_their_shoulders_whatever_is_guessed_of_them() -> None:
    track, _ = leaving()
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    warp = ReferenceWarp(noise, track, learned=False)
    other = track.joints_cam_m.copy()
    # Outwards and nearer than the trunk; and not known at all.
    other[:, _ELBOWS] += np.array([[0.3, 0.0, -0.5], [-0.3, 0.0, -0.5]])
    gone = track.joints_cam_m.copy()
    gone[:, _ELBOWS] = 0
    still = warp.frames(track)
    for guess in (other, gone):
        np.testing.assert_array_equal(warp.frames(replace(track, joints_cam_m=guess)), still)


def test_arms_that_leave_the_picture_move_with_their_shoulders() -> None:
    track, image = leaving()
    step_px = 8
    moved = replace(
        track,
        joints_cam_m=track.joints_cam_m + np.array([step_px * DEPTH_M / FOCAL_PX, 0, 0]),
        head_center_cam_m=track.head_center_cam_m + np.array([step_px * DEPTH_M / FOCAL_PX, 0, 0]),
    )
    seen = ReferenceWarp(image, track, learned=False).frames(moved)[0].astype(int)
    low = slice(SIDE - 12, SIDE)
    clothes = np.abs(image[low, :-step_px].astype(int) - (150, 30, 30)).sum(axis=-1) < 20
    assert clothes.sum() > 40
    assert (np.abs(seen[low, step_px:] - image[low, :-step_px]).sum(axis=-1)[clothes] < 40).mean() > 0.85


def test_arms_that_come_into_the_picture_go_where_they_are_seen() -> None:
    track, _ = leaving()
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    raised, confidence = track.joints_cam_m.copy(), track.joint_confidence.copy()
    raised[:, _ELBOWS] += (0, -1.3, 0)
    confidence[:, _ELBOWS] = 1
    warp = ReferenceWarp(noise, track, learned=False)
    seen = warp.frames(replace(track, joints_cam_m=raised, joint_confidence=confidence))[0]
    changed = np.abs(seen.astype(int) - warp.frames(track)[0]).sum(axis=-1) > 60
    x_px, y_px = track.project(raised[0, _ELBOWS[0]]).astype(int)
    assert changed[y_px : y_px + 10, x_px - 3 : x_px + 3].mean() > 0.8
