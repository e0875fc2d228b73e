"""Synthetic people: equal seeds give equal pixels, and the truth agrees with what was drawn."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.skeleton import JOINT_NAMES, joint_index
from dreamactor_dataset.synthetic.clip import Clip, make_clip, render_performance, render_scenes
from dreamactor_dataset.synthetic.figure.figure import Figure, build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.figure.parts import Material
from dreamactor_dataset.synthetic.figure.posing import posed_vertices_m
from dreamactor_dataset.synthetic.framing import make_set_up
from dreamactor_dataset.synthetic.motion.gestures import head_rotation
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.plan import ClipPlan, plan_clips
from dreamactor_dataset.synthetic.render.camera import look_at
from dreamactor_dataset.synthetic.render.lights import make_lights
from dreamactor_dataset.synthetic.render.moves import CameraMove, moved_camera
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene, draw
from dreamactor_signals.body_models.makehuman.rig import load_rig
from dreamactor_signals.head_angles import angles_of_rotation

SIZE = 128


@pytest.fixture(scope="session")
def figure() -> Figure:
    return build_figure(make_identity(seed=0, number=8))


@pytest.fixture(scope="session")
def stage(figure: Figure) -> Callable[..., Scene]:
    """stage(height_m, half_span_m, azimuth_rad): a grey room around the figure."""

    def make(height_m: float, half_span_m: float, azimuth_rad: float = 0.0) -> Scene:
        focal_px = SIZE * 2.0
        camera = look_at(
            np.array((0.0, height_m, 0.0)),
            half_span_m * focal_px / (SIZE / 2),
            azimuth_rad,
            0.0,
            focal_px,
            (SIZE, SIZE),
        )
        grey = np.full((SIZE * SUPERSAMPLING, SIZE * SUPERSAMPLING, 3), 0.3, np.float32)
        return Scene(figure, camera, make_lights(np.random.default_rng(1)), grey)

    return make


@pytest.fixture(scope="session")
def portrait(stage: Callable[..., Scene], figure: Figure) -> Scene:
    return stage(float(figure.skull_center_m[1]) - 0.05, 0.22)


@pytest.fixture(scope="session")
def full(stage: Callable[..., Scene], figure: Figure) -> Scene:
    tall_m = float(figure.rest_m[:, 1].max())
    return stage(tall_m / 2, 0.62 * tall_m)


def _plan(**changes: Any) -> ClipPlan:
    plan = ClipPlan("clip", 8, 0, 5, category="gesture", framing="half", split="train", captured=None)
    return replace(plan, **changes)


def _digest(clip: Clip) -> str:
    return hashlib.sha256(clip.frames.tobytes()).hexdigest()


@pytest.fixture(scope="session")
def half_clip(figure: Figure) -> Clip:
    return make_clip(_plan(), figure, (SIZE, SIZE), 6)


@pytest.fixture(scope="session")
def full_clip(figure: Figure) -> Clip:
    return make_clip(_plan(category="dance", framing="full", captured="dance_a"), figure, (SIZE, SIZE), 6)


def test_one_seed_gives_one_clip(figure: Figure, half_clip: Clip) -> None:
    again = make_clip(_plan(), build_figure(make_identity(seed=0, number=8)), (SIZE, SIZE), 6)
    assert _digest(again) == _digest(half_clip)
    assert again.track == half_clip.track
    assert _digest(make_clip(_plan(number=6), figure, (SIZE, SIZE), 6)) != _digest(half_clip)


def test_people_differ() -> None:
    first, second = make_identity(0, 1), make_identity(0, 2)
    assert first == make_identity(0, 1)
    assert first.phenotype != second.phenotype
    assert first.name != second.name


def test_openness_is_low_in_the_mouth_and_high_on_the_crown(figure: Figure) -> None:
    mouth = np.unique(figure.triangles[figure.material == Material.MOUTH])
    crown = np.argmax(np.where(figure.keep > 0, figure.rest_m[:, 1], -np.inf))
    assert np.median(figure.openness[mouth]) < 0.3
    assert figure.openness[crown] > 0.5


def test_body_has_human_proportions(figure: Figure) -> None:
    joints = dict(zip(JOINT_NAMES, figure.joints.points_m, strict=True))
    tall_m = float(figure.rest_m[:, 1].max())
    assert 1.4 < tall_m < 2.0
    assert 0.07 < figure.skull_radius_m < 0.11
    assert np.allclose(joints["left_knee"] * (-1, 1, 1), joints["right_knee"], atol=1e-3)
    assert joints["left_wrist"][0] > 0 > joints["right_wrist"][0], "left is the person's own, at +x"
    assert joints["left_heel"][2] < joints["left_ankle"][2] < joints["left_toe"][2]
    for finger in ("thumb", "index", "middle", "ring", "pinky"):
        reach = [np.linalg.norm(joints[f"left_{finger}_{k}"] - joints["left_wrist"]) for k in (1, 2, 3, 4)]
        assert reach == sorted(reach), finger


def _thickened(cover: np.ndarray) -> np.ndarray:
    padded = np.pad(cover, 1)
    return np.max([np.roll(padded, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)[1:-1, 1:-1]


@pytest.fixture(scope="session")
def moving_clip(figure: Figure) -> Clip:
    """Somebody who stands still, before a camera that pans, tilts, approaches and circles all at once."""
    performance = Performance(5)
    pose = rig_performance(figure, performance)
    set_up = make_set_up(_plan(), np.random.default_rng(2), figure, pose, (SIZE, SIZE))
    progress = np.linspace(-0.5, 0.5, 5)
    move = CameraMove(0.1 * progress, 0.06 * progress, 1 + 0.3 * progress, 0.4 * progress)
    moving = replace(set_up, move=move)
    return render_scenes([moving.scene(frame) for frame in range(5)], performance)


def test_camera_moves_are_part_of_the_truth(moving_clip: Clip) -> None:
    track = moving_clip.track
    yaw, _, _ = angles_of_rotation(track.head_rotation)
    # The camera goes round to the person's left and looks to the right: the nose turns to the image's left.
    assert np.ptp(yaw) == pytest.approx(0.3, abs=0.08)
    assert (np.diff(yaw) < 0).all()
    wide_px = np.ptp(track.face_boxes_px[:, [0, 2]], axis=1)
    assert wide_px[-1] > 1.15 * wide_px[0]
    background = moving_clip.cover.max(axis=0) == 0
    assert np.abs(moving_clip.frames[0].astype(int) - moving_clip.frames[-1])[background].mean() > 0.5


def test_the_truth_tells_where_a_moving_camera_sees_the_plate(figure: Figure) -> None:
    """A spot on the plate is seen where the true motion says, with a pan, a tilt, an approach and a turn at once."""
    performance = Performance(5)
    pose = rig_performance(figure, performance)
    set_up = make_set_up(_plan(), np.random.default_rng(2), figure, pose, (SIZE, SIZE))
    height, width = set_up.plate.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    spot = np.exp(-((columns - 0.35 * width) ** 2 + (rows - 0.3 * height) ** 2) / (2 * (0.015 * width) ** 2))
    progress = np.linspace(-0.5, 0.5, 5)
    move = CameraMove(0.1 * progress, 0.06 * progress, 1 + 0.3 * progress, 0.1 * progress)
    moving = replace(set_up, move=move, plate=np.repeat(spot[..., None], 3, axis=-1).astype(np.float32))
    scenes = [moving.scene(frame) for frame in range(5)]
    seen_px = np.stack([_center_of_light(scene.background[..., 0]) / SUPERSAMPLING for scene in scenes])
    track = render_scenes(scenes, performance).track
    in_plane = (seen_px - track.principal_px) / track.focal_px
    motion = track.scenery_motion
    assert motion is not None
    on_plate = np.stack(
        [np.linalg.solve(motion[frame, :, :2], in_plane[frame] - motion[frame, :, 2]) for frame in range(5)]
    )
    assert np.ptp(in_plane, axis=0).max() > 0.03
    np.testing.assert_allclose(on_plate, on_plate[:1].repeat(5, axis=0), atol=0.5 / track.focal_px)


def _center_of_light(image: np.ndarray) -> np.ndarray:
    """(2,) x and y in pixels from the corner."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    return np.array([(columns * image).sum(), (rows * image).sum()]) / image.sum()


def test_a_camera_that_stands_still_sees_scenery_that_does(portrait: Scene) -> None:
    motion = render_performance(portrait, Performance(2)).track.scenery_motion
    np.testing.assert_array_equal(motion, np.repeat(np.eye(2, 3, dtype=np.float32)[None], 2, axis=0))


def test_whole_bodies_stay_in_the_frame_of_a_moving_camera(figure: Figure) -> None:
    performance = Performance(9)
    pose = rig_performance(figure, performance)
    for seed in range(12):
        set_up = make_set_up(_plan(framing="full"), np.random.default_rng(seed), figure, pose, (64, 64))
        for frame in range(9):
            camera = moved_camera(set_up.camera, set_up.target_m, set_up.move, frame)
            points_m = posed_vertices_m(figure, pose, frame, performance.units[frame])
            pixels = camera.to_pixels(camera.to_camera(points_m))
            assert (pixels > -0.5).all(), seed
            assert (pixels < 64.5).all(), seed


def test_shadows_fall_on_the_floor_below_a_person(figure: Figure) -> None:
    performance = Performance(1)
    pose = rig_performance(figure, performance)
    set_up = make_set_up(_plan(framing="full"), np.random.default_rng(2), figure, pose, (SIZE, SIZE))
    floor = np.full_like(set_up.plate, 0.5)
    with_floor = replace(set_up, plate=floor)
    clips = [render_scenes([one.scene(0)], performance) for one in (with_floor, replace(with_floor, wall_m=None))]
    darker = clips[1].frames[0].astype(int) - clips[0].frames[0]
    darker = np.where(clips[0].cover[0][..., None] == 0, darker, 0).max(axis=-1)
    rows, _ = np.nonzero(darker > 12)
    assert len(rows) > 20
    sole_px = clips[0].track.project(clips[0].track.joints_cam_m[0])[:, 1].max()
    assert darker[: int(0.5 * SIZE)].max() <= 1
    assert abs(np.median(rows) - sole_px) < 0.15 * SIZE


@pytest.mark.parametrize("which", ["half_clip", "full_clip", "moving_clip"])
def test_visible_joints_lie_on_the_person(which: str, request: pytest.FixtureRequest) -> None:
    clip: Clip = request.getfixturevalue(which)
    for frame in range(len(clip.frames)):
        shown = clip.track.joint_confidence[frame] > 0
        pixels = clip.track.project(clip.track.joints_cam_m[frame])[shown]
        columns, rows = pixels.astype(int).T
        assert shown.sum() >= 5
        # A finger is thinner than a pixel here.
        assert (_thickened(clip.cover[frame])[rows, columns] > 0).all()
        on_rows, on_columns = np.nonzero(clip.cover[frame] > 0)
        assert (pixels.min(axis=0) >= (on_columns.min() - 1, on_rows.min() - 1)).all()
        assert (pixels.max(axis=0) <= (on_columns.max() + 2, on_rows.max() + 2)).all()


def test_full_body_fills_its_frame(full_clip: Clip) -> None:
    assert (full_clip.track.joint_confidence == 1).all()
    rows = np.nonzero(full_clip.cover.max(axis=0).max(axis=1))[0]
    columns = np.nonzero(full_clip.cover.max(axis=0).max(axis=0))[0]
    assert max(np.ptp(rows), np.ptp(columns)) > 0.75 * SIZE


def test_joints_outside_the_frame_are_not_confident(portrait: Scene) -> None:
    track = render_performance(portrait, Performance(1)).track
    assert track.joint_confidence[0, joint_index("left_ankle")] == 0
    assert track.joint_confidence[0, joint_index("pelvis")] == 0
    assert track.head_confidence[0] == 1
    assert track.face_confidence[0] == 1


def test_pupils_are_dark_and_the_whites_beside_them_light(portrait: Scene, figure: Figure) -> None:
    performance = Performance(1)
    points_m = posed_vertices_m(figure, rig_performance(figure, performance), 0, performance.units[0])
    frame, cover = draw(portrait, points_m)
    pixels = portrait.camera.to_pixels(portrait.camera.to_camera(points_m))
    face = frame[cover == 1].mean()
    for pupil in figure.eyes:
        column, row = pixels[pupil].astype(int)
        assert cover[row, column] == 1
        around = frame[row - 1 : row + 2, column - 4 : column + 5].mean(axis=(0, 2))
        assert around[3:6].min() < 0.75 * face
        assert around.max() > 1.5 * around.min()


@pytest.mark.parametrize("yaw_deg", [-50, 0, 35])
def test_yaw_truth_is_the_yaw_commanded(portrait: Scene, yaw_deg: float) -> None:
    performance = Performance(1)
    performance.turn("neck", head_rotation(np.radians([yaw_deg]), np.zeros(1), np.zeros(1)))
    track = render_performance(portrait, performance).track
    yaw, pitch, roll = angles_of_rotation(track.head_rotation)
    # A turn to the person's left is a turn to the image's right.
    assert np.degrees([yaw[0], pitch[0], roll[0]]) == pytest.approx([yaw_deg, 0, 0], abs=1e-3)
    assert np.linalg.det(track.head_rotation[0]) == pytest.approx(1, abs=1e-5)
    box = track.face_boxes_px[0]
    shift = (box[0] + box[2]) / 2 - track.project(track.head_center_cam_m)[0, 0]
    assert np.sign(shift) == np.sign(yaw_deg) or abs(shift) < 2


def test_camera_to_the_side_turns_the_head_the_other_way(stage: Callable[..., Scene], figure: Figure) -> None:
    scene = stage(float(figure.skull_center_m[1]), 0.25, azimuth_rad=0.5)
    track = render_performance(scene, Performance(1)).track
    # Seen from the person's left, the nose points to the image's left.
    assert angles_of_rotation(track.head_rotation)[0][0] == pytest.approx(-0.5, abs=1e-4)


def test_jaw_open_changes_the_mouth_only(portrait: Scene) -> None:
    performance = Performance(2)
    performance.units[1, ARKIT_UNITS.index("jawOpen")] = 1.0
    clip = render_performance(portrait, performance)
    changed = np.abs(clip.frames[1].astype(int) - clip.frames[0]).max(axis=-1) > 12
    rows = np.nonzero(changed)[0]
    x0, y0, x1, y1 = clip.track.face_boxes_px[0]
    assert changed.sum() > 40
    # From the cheeks that are drawn down to the throat and the shadow on it: brows and eyes stay as they are.
    assert (rows > y0 + 0.4 * (y1 - y0)).mean() > 0.98
    columns = np.nonzero(changed)[1]
    assert columns.min() > x0 - 8
    assert columns.max() < x1 + 8
    assert clip.track.face_units is not None
    assert clip.track.face_units[1, ARKIT_UNITS.index("jawOpen")] == 1


def test_back_of_the_head_shows_no_face(stage: Callable[..., Scene], figure: Figure) -> None:
    scene = stage(float(figure.skull_center_m[1]), 0.25, azimuth_rad=np.pi)
    track = render_performance(scene, Performance(1)).track
    assert track.face_confidence[0] == 0
    assert track.head_confidence[0] == 1


def test_skin_stays_whole_at_neck_and_waist(full: Scene) -> None:
    """No background shows through between the crown and the hips, along the body's middle."""
    cover = render_performance(full, Performance(1)).cover[0]
    track = render_performance(full, Performance(1)).track
    column = SIZE // 2
    top = int(track.project(track.head_center_cam_m)[0, 1])
    bottom = int(track.project(track.joints_cam_m[0, joint_index("pelvis")])[1])
    assert (cover[top:bottom, column - 1 : column + 2] == 1).all()


def test_feet_stand_on_the_ground(figure: Figure) -> None:
    performance = Performance(3)
    performance.root_legs[:, 1] = (5.0, 5.1, 5.2)
    pose = rig_performance(figure, performance)
    low_m = [posed_vertices_m(figure, pose, frame, performance.units[0])[:, 1].min() for frame in range(3)]
    assert abs(low_m[0]) < 0.05
    assert low_m[2] > low_m[0] + 0.1, "a jump leaves the ground"


def test_every_vertex_is_carried(figure: Figure) -> None:
    assert np.allclose(figure.weights.sum(axis=1), 1, atol=1e-5)
    assert figure.weights.shape[1] == len(load_rig().names)


def test_splits_keep_people_and_captured_motions_apart() -> None:
    plans = plan_clips(people=24, clips=400, seed=3)
    for key in ("person", "captured"):
        owners: dict[object, set[str]] = {}
        for plan in plans:
            if getattr(plan, key) is not None:
                owners.setdefault(getattr(plan, key), set()).add(plan.split)
        assert all(len(splits) == 1 for splits in owners.values()), key
    assert {plan.split for plan in plans} == {"train", "val", "test"}
    near = sum(plan.framing != "full" for plan in plans)
    assert 0.7 < near / len(plans) < 0.95
