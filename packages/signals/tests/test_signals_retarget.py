"""What retargeting keeps, what it changes, and where it puts the person."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BONES, JOINT_COUNT, LEFT_HAND_JOINTS, MIRROR, PARENTS, joint_index
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.retarget import retarget
from dreamactor_signals.retarget.lengths import measure_bones
from hypothesis import given, settings
from hypothesis import strategies as st

Person = Callable[..., MotionTrack]
NECK, PELVIS = joint_index("neck"), joint_index("pelvis")
FEET = [joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "heel", "toe")]
BELOW_CHEST = [
    j for j in range(JOINT_COUNT) if j not in (NECK, joint_index("left_shoulder"), joint_index("right_shoulder"))
]
QUICK = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def dancer(seed: int, frames: int = 5, at_m: tuple[float, float, float] = (0.1, -0.1, 4.0)) -> MotionTrack:
    """A person of random bone lengths whose every bone points anywhere in every frame, the head too."""
    rng = np.random.default_rng(seed)
    lengths_m = rng.uniform(0.05, 0.5, len(BONES))
    directions = rng.normal(size=(frames, len(BONES), 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    joints = np.zeros((frames, JOINT_COUNT, 3))
    joints[:, 0] = at_m + rng.normal(0, 0.2, (frames, 3))
    for joint in range(1, JOINT_COUNT):
        joints[:, joint] = joints[:, PARENTS[joint]] + directions[:, joint - 1] * lengths_m[joint - 1]
    to_head = rng.normal(size=(frames, 3))
    radius_m = rng.uniform(0.08, 0.13)
    to_head *= radius_m * rng.uniform(1.9, 3.1) / np.linalg.norm(to_head, axis=-1, keepdims=True)
    return MotionTrack(
        joints_cam_m=joints,
        joint_confidence=rng.uniform(0.5, 1, (frames, JOINT_COUNT)),
        focal_px=rng.uniform(300, 1500),
        principal_px=rng.uniform(100, 600, 2),
        frame_size=(int(rng.integers(100, 1000)), int(rng.integers(100, 1000))),
        fps=Fraction(int(rng.integers(10, 60)), 1001) * 1000,
        head_rotation=rotation_of_angles(*rng.uniform(-1, 1, (3, frames))),
        head_center_cam_m=joints[:, NECK] + to_head,
        head_radius_m=np.full(frames, radius_m),
        head_confidence=rng.uniform(0.5, 1, frames),
        face_boxes_px=rng.uniform(0, 100, (frames, 4)),
        face_confidence=rng.uniform(0, 1, frames),
        face_units=rng.uniform(0, 1, (frames, 52)),
        trackers={"test": "1"},
        source_sha256="ab",
    )


def bone_vectors_m(track: MotionTrack) -> np.ndarray:
    """(T, B, 3)."""
    joints = track.joints_cam_m.astype(np.float64)
    return joints[:, BONES[:, 1]] - joints[:, BONES[:, 0]]


def lengths_m(track: MotionTrack) -> np.ndarray:
    return np.linalg.norm(bone_vectors_m(track), axis=-1)


def angles_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.arctan2(cross, (a * b).sum(axis=-1))


def hide(track: MotionTrack, joints: list[int] | slice, frames: slice = slice(None)) -> MotionTrack:
    """The track with joints missing, as trackers mark them: confidence 0 and zeros."""
    confidence, positions = track.joint_confidence.copy(), track.joints_cam_m.copy()
    confidence[frames, joints], positions[frames, joints] = 0, 0
    return replace(track, joint_confidence=confidence, joints_cam_m=positions)


def hide_head(track: MotionTrack) -> MotionTrack:
    return replace(track, head_confidence=np.zeros(len(track)), head_center_cam_m=np.zeros((len(track), 3)))


def transformed(track: MotionTrack, scale: float, turn: np.ndarray, about_m: np.ndarray) -> MotionTrack:
    """The performance scaled and rotated about a point of camera space."""
    return replace(
        track,
        joints_cam_m=(track.joints_cam_m - about_m) @ turn.T * scale + about_m,
        head_center_cam_m=(track.head_center_cam_m - about_m) @ turn.T * scale + about_m,
        head_rotation=turn @ track.head_rotation,
        head_radius_m=track.head_radius_m * scale,
    )


@QUICK
@given(driving_seed=seeds, reference_seed=seeds)
def test_lengths_become_the_references_and_directions_stay(driving_seed: int, reference_seed: int) -> None:
    driving, reference = dancer(driving_seed), dancer(reference_seed, frames=3, at_m=(0.0, 0.2, 3.0))
    result = retarget(driving, reference)
    np.testing.assert_allclose(lengths_m(result), np.broadcast_to(lengths_m(reference)[0], (5, len(BONES))), atol=1e-4)
    assert angles_between(bone_vectors_m(result), bone_vectors_m(driving)).max() < 1e-4


@QUICK
@given(driving_seed=seeds, reference_seed=seeds)
def test_what_is_not_geometry_passes_through(driving_seed: int, reference_seed: int) -> None:
    driving, reference = dancer(driving_seed, frames=7), dancer(reference_seed, frames=1)
    result = retarget(driving, reference)
    assert len(result) == 7
    for name in ("fps", "trackers", "source_sha256"):
        assert getattr(result, name) == getattr(driving, name)
    for name in (
        "joint_confidence",
        "head_rotation",
        "head_confidence",
        "face_confidence",
        "face_units",
    ):
        np.testing.assert_array_equal(getattr(result, name), getattr(driving, name))
    assert result.face_tokens is None
    assert (result.focal_px, result.frame_size) == (reference.focal_px, reference.frame_size)
    np.testing.assert_array_equal(result.principal_px, reference.principal_px)


@QUICK
@given(seed=seeds, frames=st.integers(1, 6))
def test_retargeting_to_oneself_changes_nothing(seed: int, frames: int) -> None:
    track = dancer(seed, frames)
    result = retarget(track, track)
    for name in ("joints_cam_m", "head_center_cam_m", "head_radius_m"):
        np.testing.assert_allclose(getattr(result, name), getattr(track, name), atol=1e-5)


@QUICK
@given(driving_seed=seeds, reference_seed=seeds, scale=st.floats(0.3, 3))
def test_the_driving_persons_size_does_not_matter(driving_seed: int, reference_seed: int, scale: float) -> None:
    driving, reference = dancer(driving_seed), dancer(reference_seed)
    # About the camera: a giant farther away looks the same, which is all that a single camera tells.
    giant = transformed(driving, scale, np.eye(3), np.zeros(3))
    one, other = retarget(driving, reference), retarget(giant, reference)
    np.testing.assert_allclose(one.joints_cam_m, other.joints_cam_m, atol=2e-4)
    np.testing.assert_allclose(one.head_center_cam_m, other.head_center_cam_m, atol=2e-4)


@QUICK
@given(driving_seed=seeds, reference_seed=seeds, scale=st.floats(0.3, 3))
def test_the_references_scale_does_not_show_in_the_picture(
    driving_seed: int, reference_seed: int, scale: float
) -> None:
    driving, reference = dancer(driving_seed), dancer(reference_seed)
    giant = transformed(reference, scale, np.eye(3), np.zeros(3))
    one, other = retarget(driving, reference), retarget(driving, giant)
    np.testing.assert_allclose(one.joints_cam_m * scale, other.joints_cam_m, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(one.head_radius_m * scale, other.head_radius_m, rtol=1e-5)


@QUICK
@given(seed=seeds, reference_seed=seeds, angles=st.tuples(*[st.floats(-1, 1)] * 3))
def test_turning_the_performance_turns_the_result(
    seed: int, reference_seed: int, angles: tuple[float, float, float]
) -> None:
    # One frame and no feet: then the neck is the whole anchor and the turn goes about it.
    driving, reference = hide(dancer(seed, frames=1), FEET), dancer(reference_seed, frames=1)
    turn = rotation_of_angles(*map(np.array, angles))
    turned = hide(transformed(driving, 1.0, turn, driving.joints_cam_m[0, NECK]), FEET)
    one, other = retarget(driving, reference), retarget(turned, reference)
    expected = hide(transformed(one, 1.0, turn, one.joints_cam_m[0, NECK]), FEET)
    np.testing.assert_allclose(other.joints_cam_m, expected.joints_cam_m, atol=1e-4)
    np.testing.assert_allclose(other.head_center_cam_m, expected.head_center_cam_m, atol=1e-4)
    np.testing.assert_allclose(other.head_rotation, expected.head_rotation, atol=1e-5)


@QUICK
@given(driving_seed=seeds, reference_seed=seeds)
def test_the_head_is_the_references_on_the_driving_persons_bearing(driving_seed: int, reference_seed: int) -> None:
    driving, reference = dancer(driving_seed), dancer(reference_seed)
    result = retarget(driving, reference)
    offset = {name: t.head_center_cam_m - t.joints_cam_m[:, NECK] for name, t in (("d", driving), ("r", result))}
    distance = np.linalg.norm(reference.head_center_cam_m - reference.joints_cam_m[:, NECK], axis=1)
    np.testing.assert_allclose(np.linalg.norm(offset["r"], axis=1), distance, atol=1e-4)
    assert angles_between(offset["r"].astype(float), offset["d"].astype(float)).max() < 1e-3
    np.testing.assert_allclose(result.head_radius_m, reference.head_radius_m, rtol=1e-5)


def test_a_picture_that_puts_the_head_far_above_the_shoulders_is_not_believed() -> None:
    driving, reference = dancer(1), dancer(2)[:1]
    neck_cam_m = reference.joints_cam_m[:, NECK]
    away = replace(reference, head_center_cam_m=neck_cam_m + 2 * (reference.head_center_cam_m - neck_cam_m))
    result = retarget(driving, away)
    distance_m = np.linalg.norm(result.head_center_cam_m - result.joints_cam_m[:, NECK], axis=1)
    np.testing.assert_allclose(distance_m / result.head_radius_m, 3.2, rtol=1e-4)


def tall(body_m: np.ndarray) -> np.ndarray:
    """Longer legs and arms, wider shoulders."""
    body = body_m.copy()
    for side, sign in (("left", 1), ("right", -1)):
        arm = [j for j in range(JOINT_COUNT) if _hangs_from(j, joint_index(f"{side}_shoulder"))]
        body[arm, 0] += 0.05 * sign
        body[_below(f"{side}_elbow"), 1] += 0.06
        body[_below(f"{side}_knee"), 1] += 0.10
        body[_below(f"{side}_ankle"), 1] += 0.07
    return body


def _hangs_from(joint: int, ancestor: int) -> bool:
    while joint >= 0 and joint != ancestor:
        joint = int(PARENTS[joint])
    return joint == ancestor


def _below(name: str) -> list[int]:
    return [j for j in range(JOINT_COUNT) if _hangs_from(j, joint_index(name))]


def portrait(track: MotionTrack) -> MotionTrack:
    """Only head and shoulders are there."""
    return hide(track, BELOW_CHEST)


def test_a_portrait_sits_on_the_references_shoulders(person: Person, body_m: np.ndarray) -> None:
    swaying = np.stack([0.1 * np.sin(np.linspace(0, 6, 31)), np.full(31, 0.5), np.full(31, 1.5)], axis=1)
    swaying -= np.median(swaying, axis=0) - [0, 0.5, 1.5]
    driving = portrait(person(0.2 * np.sin(np.linspace(0, 6, 31)), at_m=swaying, focal_px=400, frame_size=(320, 240)))
    reference = portrait(
        person(at_m=np.array([0.3, 0.7, 1.1]), body_m=tall(body_m), size=0.9, focal_px=1100, frame_size=(900, 1200))
    )
    result = retarget(driving, reference)
    neutral = int(np.abs(swaying[:, 0]).argmin())
    for name in ("neck", "left_shoulder", "right_shoulder"):
        joint = joint_index(name)
        np.testing.assert_allclose(
            result.project(result.joints_cam_m[neutral, joint]),
            reference.project(reference.joints_cam_m[0, joint]),
            atol=3,
        )
    np.testing.assert_allclose(
        result.project(result.head_center_cam_m[neutral]), reference.project(reference.head_center_cam_m[0]), atol=3
    )
    np.testing.assert_allclose(result.joints_cam_m[:, NECK, 2], reference.joints_cam_m[0, NECK, 2], atol=1e-5)
    ratio = (
        lengths_m(reference)[0, joint_index("left_shoulder") - 1]
        / lengths_m(driving)[0, joint_index("left_shoulder") - 1]
    )
    sway = result.joints_cam_m[:, NECK, 0] - reference.joints_cam_m[0, NECK, 0]
    np.testing.assert_allclose(sway, swaying[:, 0] * ratio, atol=1e-5)
    assert (result.joints_cam_m[:, BELOW_CHEST] == 0).all()


def test_a_limb_that_the_reference_hides_is_still_driven(person: Person, body_m: np.ndarray) -> None:
    driving = person(np.linspace(-0.5, 0.5, 5))
    reference = portrait(person(body_m=body_m * 1.2))
    result = retarget(driving, reference)
    np.testing.assert_array_equal(result.joint_confidence, driving.joint_confidence)
    # Shoulders are 1.2 times as wide, so the unseen rest is 1.2 times as long.
    np.testing.assert_allclose(lengths_m(result), 1.2 * lengths_m(driving), rtol=1e-4)


def test_an_unseen_arm_is_as_long_as_the_other(person: Person, body_m: np.ndarray) -> None:
    reference = hide(person(body_m=tall(body_m)), _below("left_elbow"))
    lengths = lengths_m(retarget(person(), reference))[0]
    np.testing.assert_allclose(lengths, lengths[MIRROR[1:] - 1], atol=1e-5)
    np.testing.assert_allclose(lengths, lengths_m(person(body_m=tall(body_m)))[0], atol=1e-5)


def test_unseen_hands_scale_with_the_body_and_seen_ones_with_their_own_ratio(
    person: Person, body_m: np.ndarray
) -> None:
    fingers = np.arange(LEFT_HAND_JOINTS.start, JOINT_COUNT)
    big = body_m * 1.1
    for side in ("left", "right"):
        wrist = joint_index(f"{side}_wrist")
        own = [j for j in fingers if _hangs_from(int(j), wrist)]
        big[own] = big[wrist] + 1.5 * (big[own] - big[wrist])
    bones = fingers - 1
    driving = person()
    pinkies = [j for j in fingers if j % 20 >= 14]
    shown = lengths_m(retarget(driving, hide(person(body_m=big), pinkies)))[0, bones]
    np.testing.assert_allclose(shown, 1.65 * lengths_m(driving)[0, bones], rtol=1e-4)
    hidden = lengths_m(retarget(driving, hide(person(body_m=big), fingers)))[0, bones]
    np.testing.assert_allclose(hidden, 1.1 * lengths_m(driving)[0, bones], rtol=1e-4)


def test_full_bodies_stand_on_the_references_ground(person: Person, body_m: np.ndarray) -> None:
    # Knees bend: on the same neck path, longer legs would sink through the floor.
    frames = 9
    crouch = person(np.zeros(frames))
    joints = crouch.joints_cam_m.copy()
    for frame, bend_m in enumerate(0.25 * np.sin(np.linspace(0, np.pi, frames))):
        upper = [
            j
            for j in range(JOINT_COUNT)
            if not any(_hangs_from(j, joint_index(f"{s}_knee")) for s in ("left", "right"))
        ]
        joints[frame, upper, 1] += bend_m
        joints[frame, [joint_index("left_knee"), joint_index("right_knee")], 2] -= bend_m
    driving = replace(crouch, joints_cam_m=joints)
    reference = person(at_m=np.array([0.5, -0.2, 5.0]), body_m=tall(body_m))
    result = retarget(driving, reference)
    floor_m = reference.joints_cam_m[0, FEET, 1].max()
    np.testing.assert_allclose(result.joints_cam_m[:, FEET, 1].max(axis=1), floor_m, atol=1e-4)
    assert np.ptp(result.joints_cam_m[:, NECK, 1]) > 0.05


def test_a_jump_stays_a_jump(person: Person, body_m: np.ndarray) -> None:
    height_m = np.array([0, 0, 0, 0.2, 0.3, 0.2, 0, 0, 0])
    path = np.stack([np.zeros(9), -height_m, np.full(9, 3.0)], axis=1)
    result = retarget(person(at_m=path), person(body_m=body_m * 1.5, at_m=np.array([0, 0, 4.0])))
    lowest_m = result.joints_cam_m[:, FEET, 1].max(axis=1)
    np.testing.assert_allclose(lowest_m[0] - lowest_m, 1.5 * height_m, atol=1e-4)


def test_strides_are_as_long_as_the_legs(person: Person, body_m: np.ndarray) -> None:
    long_legged = body_m.copy()
    for side in ("left", "right"):
        hip, leg = joint_index(f"{side}_hip"), _below(f"{side}_knee")
        long_legged[leg] = body_m[hip] + 1.5 * (body_m[leg] - body_m[hip])
    path = np.stack([np.linspace(-0.4, 0.4, 5), np.zeros(5), np.full(5, 3.0)], axis=1)
    result = retarget(person(at_m=path), person(body_m=long_legged))
    np.testing.assert_allclose(np.diff(result.joints_cam_m[:, FEET, 0], axis=0), 1.5 * 0.2, atol=1e-4)


def test_a_wrist_without_an_elbow_hangs_from_the_shoulder(person: Person, body_m: np.ndarray) -> None:
    elbow, wrist, shoulder = (joint_index(f"left_{part}") for part in ("elbow", "wrist", "shoulder"))
    driving = person(np.zeros(4))
    result = retarget(hide(driving, [elbow], slice(2, 3)), person(body_m=body_m * 1.3))
    assert (result.joints_cam_m[2, elbow] == 0).all()
    whole = retarget(driving, person(body_m=body_m * 1.3))
    reached = result.joints_cam_m[2, wrist] - result.joints_cam_m[2, shoulder]
    np.testing.assert_allclose(reached, whole.joints_cam_m[2, wrist] - whole.joints_cam_m[2, shoulder], atol=0.02)


def test_a_neck_lost_for_some_frames_is_bridged(person: Person) -> None:
    path = np.stack([np.linspace(0, 0.5, 6), np.zeros(6), np.full(6, 3.0)], axis=1)
    driving = person(at_m=path)
    chest = [NECK, joint_index("left_shoulder")]
    for track in (driving, hide_head(driving)):
        result = retarget(hide(track, chest, slice(2, 4)), driving)
        kept = [j for j in range(JOINT_COUNT) if j not in chest and not _hangs_from(j, chest[1])]
        np.testing.assert_allclose(result.joints_cam_m[:, kept], driving.joints_cam_m[:, kept], atol=1e-4)


@pytest.mark.parametrize("driving_close", [True, False])
@pytest.mark.parametrize("reference_close", [True, False])
def test_close_ups_without_a_neck_are_anchored_at_the_head(
    person: Person, driving_close: bool, reference_close: bool
) -> None:
    path = np.stack([np.array([-0.1, 0, 0.1]), np.full(3, 0.6), np.full(3, 1.0)], axis=1)
    driving, reference = person(at_m=path), person(at_m=np.array([0.2, 0.6, 2.0]), size=1.25)
    everything = slice(None)
    if driving_close:
        driving = hide(driving, everything)
    if reference_close:
        reference = hide(reference, everything)
    result = retarget(driving, reference)
    np.testing.assert_allclose(result.head_center_cam_m[1], reference.head_center_cam_m[0], atol=1e-4)
    np.testing.assert_allclose(np.diff(result.head_center_cam_m[:, 0]), 0.125, atol=1e-4)
    np.testing.assert_allclose(result.head_radius_m, reference.head_radius_m[0], rtol=1e-5)


def test_missing_heads_stay_missing(person: Person) -> None:
    driving, reference = person(np.zeros(3)), person()
    confidence, center, radius = (
        driving.head_confidence.copy(),
        driving.head_center_cam_m.copy(),
        driving.head_radius_m.copy(),
    )
    confidence[1], center[1], radius[1] = 0, 0, 0
    result = retarget(
        replace(driving, head_confidence=confidence, head_center_cam_m=center, head_radius_m=radius), reference
    )
    assert (result.head_center_cam_m[1] == 0).all()
    assert result.head_radius_m[1] == 0
    np.testing.assert_allclose(result.head_center_cam_m[[0, 2]], driving.head_center_cam_m[[0, 2]], atol=1e-5)


def test_a_reference_without_a_head_gets_one_of_its_size(person: Person, body_m: np.ndarray) -> None:
    driving = person()
    result = retarget(driving, hide_head(person(body_m=body_m * 1.4)))
    np.testing.assert_allclose(result.head_radius_m, 1.4 * driving.head_radius_m, rtol=1e-5)


def test_nothing_in_common_is_refused(person: Person) -> None:
    only_head, only_body = hide(person(), slice(None)), hide_head(person())
    for driving, reference in ((only_head, only_body), (only_body, only_head)):
        with pytest.raises(InputError, match="no part of the body in common"):
            retarget(driving, reference)


def test_arms_in_common_but_no_place_to_put_them_are_refused(person: Person) -> None:
    arms = hide_head(hide(person(), [j for j in range(JOINT_COUNT) if not _hangs_from(j, joint_index("left_elbow"))]))
    with pytest.raises(InputError, match="nothing tells where"):
        retarget(arms, person())


def test_one_bad_frame_does_not_move_a_bone_length(person: Person) -> None:
    track = person(np.zeros(9))
    joints, confidence = track.joints_cam_m.copy(), track.joint_confidence.copy()
    joints[4, joint_index("left_wrist")] += 0.5
    confidence[:3, joint_index("left_ankle")] = 0.05
    joints[:3, joint_index("left_ankle")] += 0.5
    bones = measure_bones(replace(track, joints_cam_m=joints, joint_confidence=confidence))
    np.testing.assert_allclose(bones.metres, lengths_m(track)[0], atol=1e-5)


def test_well_seen_frames_decide_alone_about_a_bone_length(person: Person) -> None:
    track = person(np.zeros(9))
    joints, confidence = track.joints_cam_m.copy(), track.joint_confidence.copy()
    ankle = joint_index("left_ankle")
    confidence[:8, ankle] = 0.29
    joints[:8, ankle] += 0.5
    bones = measure_bones(replace(track, joints_cam_m=joints, joint_confidence=confidence))
    np.testing.assert_allclose(bones.metres, lengths_m(track)[0], atol=1e-5)


@QUICK
@given(seeds, seeds)
def test_without_adjustment_the_driving_proportions_stay_at_the_size_of_the_reference(one: int, other: int) -> None:
    driving, reference = dancer(one), dancer(other)
    ratio = lengths_m(retarget(driving, reference, adjust_lengths=False)) / lengths_m(driving)
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-3)
    turned = angles_between(bone_vectors_m(retarget(driving, reference, adjust_lengths=False)), bone_vectors_m(driving))
    assert np.degrees(turned).max() < 0.1
