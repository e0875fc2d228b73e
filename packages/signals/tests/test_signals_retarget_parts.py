"""Partial transfer, user scales, bones measured at rest, and face boxes that follow the head."""

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from types import ModuleType

import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.retarget import PARTS, RetargetSettings
from dreamactor_core.skeleton import BODY_JOINTS, BONES, LEFT_HAND_JOINTS, LIMB_BONES, joint_index
from dreamactor_core.surfaces import BODY_SURFACES, SURFACE_TERMS
from dreamactor_signals.retarget import load_standardizer, retarget

Person = Callable[..., MotionTrack]
Moving = Callable[[MotionTrack, list[float] | None], MotionTrack]
TURNS = np.linspace(-0.5, 0.5, 4)


def lengths_m(track: MotionTrack) -> np.ndarray:
    ends = track.joints_cam_m[:, BONES]
    return np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=-1)


@pytest.fixture
def driving(person: Person) -> MotionTrack:
    units = np.linspace(0, 1, 4)[:, None] * np.ones(52)
    return replace(person(TURNS, pitch_rad=0.2, size=1.1), face_units=units)


@pytest.fixture
def reference(person: Person, body_m: np.ndarray) -> MotionTrack:
    waving = body_m.copy()
    waving[LEFT_HAND_JOINTS] += (0, 0, -0.03)
    return replace(person(0.3, pitch_rad=-0.1, at_m=(0.2, 0, 4.0), body_m=waving), face_units=np.full((1, 52), 0.25))


@pytest.mark.parametrize("count", range(len(PARTS) + 1))
def test_what_is_not_transferred_stays_as_the_reference_has_it(
    driving: MotionTrack, reference: MotionTrack, count: int
) -> None:
    whole = retarget(driving, reference)
    for transfer in combinations(PARTS, count):
        result = retarget(driving, reference, RetargetSettings(transfer=transfer))
        assert len(result) == len(driving)
        body = whole if "body" in transfer else reference
        np.testing.assert_allclose(
            result.joints_cam_m[:, BODY_JOINTS],
            np.broadcast_to(body.joints_cam_m[:, BODY_JOINTS], (4, 18, 3)),
            atol=1e-5,
        )
        face = driving if "face" in transfer else reference
        np.testing.assert_array_equal(result.face_units, np.broadcast_to(face.face_units, (4, 52)))
        np.testing.assert_allclose(lengths_m(result), np.broadcast_to(lengths_m(reference), (4, 57)), rtol=1e-4)
        if "head" in transfer:
            np.testing.assert_array_equal(result.head_rotation, driving.head_rotation)
        elif "body" not in transfer:
            np.testing.assert_allclose(result.head_rotation, np.repeat(reference.head_rotation, 4, axis=0), atol=1e-6)


def test_a_head_that_stays_turns_with_the_chest(driving: MotionTrack, reference: MotionTrack) -> None:
    result = retarget(driving, reference, RetargetSettings(transfer=("body",)))
    against_body = driving.head_rotation[:1] @ result.head_rotation.transpose(0, 2, 1)
    turned = result.head_rotation[0].T @ result.head_rotation
    angles = np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1))
    np.testing.assert_allclose(angles, TURNS - TURNS[0], atol=1e-3)
    assert np.isfinite(against_body).all()


def test_a_hand_that_stays_hangs_on_the_moving_wrist(driving: MotionTrack, reference: MotionTrack) -> None:
    result = retarget(driving, reference, RetargetSettings(transfer=("body",)))
    wrist, elbow = joint_index("left_wrist"), joint_index("left_elbow")

    def bend(track: MotionTrack) -> np.ndarray:
        forearm = track.joints_cam_m[:, wrist] - track.joints_cam_m[:, elbow]
        hand = track.joints_cam_m[:, LEFT_HAND_JOINTS] - track.joints_cam_m[:, [wrist]]
        return np.einsum("tkj,tj->tk", hand, forearm / np.linalg.norm(forearm, axis=1, keepdims=True))

    np.testing.assert_allclose(bend(result), np.repeat(bend(reference), 4, axis=0), atol=1e-5)


def test_a_face_alone_needs_nothing_in_common(driving: MotionTrack, reference: MotionTrack) -> None:
    headless = replace(
        reference,
        head_confidence=np.zeros(1),
        joint_confidence=reference.joint_confidence * 0,
        joints_cam_m=reference.joints_cam_m * 0,
    )
    with pytest.raises(InputError):
        retarget(driving, headless)
    result = retarget(driving, headless, RetargetSettings(transfer=("face",)))
    np.testing.assert_array_equal(result.face_units, driving.face_units)
    assert not result.joint_confidence.any()


def test_user_scales_change_their_bones_and_no_others(driving: MotionTrack, reference: MotionTrack) -> None:
    factors = {"upper_arm": 1.2, "left_upper_arm": 1.5, "shin": 0.5, "head": 1.3}
    plain, scaled = retarget(driving, reference), retarget(driving, reference, RetargetSettings(bone_scale=factors))
    expected = np.ones(len(BONES))
    expected[LIMB_BONES["right_upper_arm"]] = 1.2
    expected[LIMB_BONES["left_upper_arm"]] = 1.2 * 1.5
    expected[LIMB_BONES["shin"]] = 0.5
    np.testing.assert_allclose(lengths_m(scaled) / lengths_m(plain), np.tile(expected, (4, 1)), rtol=1e-3)
    np.testing.assert_allclose(scaled.head_radius_m, plain.head_radius_m * 1.3, rtol=1e-5)


def test_bones_measured_at_rest_go_before_those_of_the_reference(
    person: Person, driving: MotionTrack, reference: MotionTrack, body_m: np.ndarray
) -> None:
    longer = body_m.copy()
    left = [
        j
        for j in range(len(body_m))
        if j == joint_index("left_wrist") or LEFT_HAND_JOINTS.start <= j < LEFT_HAND_JOINTS.stop
    ]
    longer[left] += 0.5 * (body_m[joint_index("left_wrist")] - body_m[joint_index("left_elbow")])
    # At rest the person stands nearer and is seen twice as large: only the proportions count.
    result = retarget(driving, reference, at_rest=person(0.0, body_m=longer, size=2.0))
    ratio = lengths_m(result)[0] / lengths_m(reference)[0]
    assert ratio[LIMB_BONES["left_forearm"]] == pytest.approx(1.5, rel=1e-3)
    assert ratio[LIMB_BONES["right_forearm"]] == pytest.approx(1.0, rel=1e-3)


def test_face_boxes_go_with_the_head(driving: MotionTrack, reference: MotionTrack) -> None:
    result = retarget(driving, reference)
    center_px = result.project(result.head_center_cam_m)
    middle_px = (result.face_boxes_px[:, :2] + result.face_boxes_px[:, 2:]) / 2
    np.testing.assert_allclose(middle_px, center_px, atol=0.1)
    diameter_px = 2 * result.focal_px * result.head_radius_m / result.head_center_cam_m[:, 2]
    np.testing.assert_allclose(result.face_boxes_px[:, 2] - result.face_boxes_px[:, 0], diameter_px, rtol=1e-4)
    hidden = retarget(replace(driving, face_confidence=np.zeros(4)), reference)
    assert not hidden.face_boxes_px.any()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("signals.retarget.bone_scale", ["upper_leg=1.2"], "no bone 'upper_leg'"),
        ("signals.retarget.bone_scale", ["thigh"], "not NAME=FACTOR"),
        ("signals.retarget.bone_scale", ["thigh=0"], "not between"),
        ("signals.retarget.bone_scale", ["thigh=long"], "number"),
        ("signals.retarget.transfer", "face,feet", "'face', 'head', 'body' or 'hands'"),
    ],
)
def test_wrong_names_and_factors_are_refused_by_name(key: str, value: object, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings({key: value})


def test_settings_read_what_the_command_line_gives() -> None:
    settings = load_settings(
        {"signals.retarget.bone_scale": ["thigh=0.9", "neck=1.1"], "signals.retarget.transfer": "hands, body"}
    ).signals.retarget
    assert settings.bone_scale == {"thigh": 0.9, "neck": 1.1}
    assert settings.transfer == ("body", "hands")


class _Editor:
    def standardize(self, image: np.ndarray) -> np.ndarray:
        return image[:, ::-1]


def test_a_standardizer_is_loaded_by_name_and_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("editors_of_this_test")
    module.Editor, module.Nothing = _Editor, dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert load_standardizer(None) is None
    editor = load_standardizer("editors_of_this_test:Editor")
    assert editor is not None
    np.testing.assert_array_equal(editor.standardize(np.arange(6).reshape(1, 2, 3))[0, 0], [3, 4, 5])
    for wrong in ("editors_of_this_test:Missing", "no_such_module:Editor", "editors_of_this_test:Nothing", "nonsense"):
        with pytest.raises(SettingsError, match="standardize"):
            load_standardizer(wrong)


def pan(amounts: list[float]) -> np.ndarray:
    motion = np.repeat(np.eye(2, 3)[None], len(amounts), axis=0)
    motion[:, 0, 2] = amounts
    return motion


def sliding(amounts: list[float]) -> np.ndarray:
    """(T, P, 2, K) of surfaces that slide along their bones."""
    motion = np.zeros((len(amounts), len(BODY_SURFACES), 2, SURFACE_TERMS), np.float32)
    motion[:, :, 0, 0] = np.array(amounts)[:, None]
    return motion


@pytest.fixture(params=[("scenery_motion", pan), ("surface_motion", sliding)], ids=["scenery", "clothes"])
def moving(request: pytest.FixtureRequest) -> Moving:
    """moving(track, amounts): the track with scenery, or clothes, that moved by so much; by none if nobody looked."""
    name, motion = request.param
    return lambda track, amounts: replace(track, **{name: None if amounts is None else motion(amounts)})


def test_scenery_and_clothes_move_as_the_driving_ones_do_about_where_the_reference_has_them(
    driving: MotionTrack, reference: MotionTrack, moving: Moving
) -> None:
    moved = moving(driving, [0.1, 0.2, 0.2, 0.4])
    for own, wanted in (([1.0], [0.9, 1.0, 1.0, 1.2]), (None, [-0.1, 0, 0, 0.2])):
        result = retarget(moved, moving(reference, own))
        assert_moves_alike(result, moving(result, wanted))
    assert_moves_alike(retarget(moved, moved), moved)


def test_what_nobody_looked_at_stays_unknown_and_moves_as_the_body_does(
    driving: MotionTrack, reference: MotionTrack, moving: Moving
) -> None:
    moved = moving(driving, [0.1, 0.2, 0.2, 0.4])
    assert_moves_alike(retarget(moving(driving, None), moved), moving(driving, None))
    for transfer in (("face",), ("face", "head"), ("head",), ("hands",)):
        settings = RetargetSettings(transfer=transfer)
        result = retarget(moved, moving(reference, None), settings)
        assert_moves_alike(result, moving(result, None))
        result = retarget(moved, moving(reference, [1.0]), settings)
        assert_moves_alike(result, moving(result, [1.0] * 4))


def assert_moves_alike(track: MotionTrack, wanted: MotionTrack) -> None:
    for name in ("scenery_motion", "surface_motion"):
        has, should_have = getattr(track, name), getattr(wanted, name)
        if should_have is None:
            assert has is None
        else:
            np.testing.assert_allclose(has, should_have, atol=1e-6)
