"""The lifting network: what it is told, what it changes, and that it has not seen what benchmarks show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import load_tensors
from dreamactor_signals.trackers.embedded import lifting as module
from dreamactor_signals.trackers.embedded.body import POINTS, Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.lifting import LIFTED, LIFTING_FILE, LIMBS, Bodies, Lifting, lifting
from dreamactor_signals.trackers.embedded.readings import BodyReading, FrameReading
from dreamactor_signals.trackers.embedded.sides import OTHER_SIDE

CAMERA = Camera.assumed((640, 480), 55.0)
ROOT_M = np.array([0.0, 0.2, 4.0])
FPS = 25.0


def skeleton() -> np.ndarray:
    """(P, 3) somebody who strides towards the camera, one forearm raised, around the middle of the hips."""
    points = np.zeros((POINTS, 3))
    points[:11] = [0, -0.65, -0.1]
    for name, left, right in (
        ("SHOULDER", (0.18, -0.45, 0.02), (-0.18, -0.45, -0.02)),
        ("ELBOW", (0.24, -0.2, 0.08), (-0.25, -0.22, -0.05)),
        ("WRIST", (0.26, -0.1, -0.12), (-0.2, -0.3, -0.25)),
        ("HIP", (0.1, 0.0, 0.0), (-0.1, 0.0, 0.0)),
        ("KNEE", (0.11, 0.36, -0.18), (-0.11, 0.4, 0.05)),
        ("ANKLE", (0.11, 0.74, -0.12), (-0.11, 0.72, 0.3)),
        ("HEEL", (0.11, 0.8, -0.08), (-0.11, 0.74, 0.36)),
        ("TOE", (0.12, 0.8, -0.26), (-0.12, 0.82, 0.2)),
    ):
        points[Point[f"LEFT_{name}"]], points[Point[f"RIGHT_{name}"]] = left, right
    for name in ("PINKY", "INDEX", "THUMB"):
        for side in ("LEFT", "RIGHT"):
            points[Point[f"{side}_{name}"]] = points[Point[f"{side}_WRIST"]] + (0, 0.05, -0.03)
    return points


def reading(points_m: np.ndarray) -> BodyReading:
    depth_px = points_m[:, 2] * CAMERA.focal_px / ROOT_M[2]
    return BodyReading(CAMERA.project(points_m + ROOT_M), depth_px, points_m, np.ones(POINTS), 1.0)


def mirrored(body: BodyReading) -> BodyReading:
    return replace(
        body,
        points_px=body.points_px[OTHER_SIDE] * (-1, 1) + (640, 0),
        depth_px=body.depth_px[OTHER_SIDE],
        points_body_m=body.points_body_m[OTHER_SIDE] * (-1, 1, 1),
        visibility=body.visibility[OTHER_SIDE],
    )


def adding(correction_m: tuple[float, float, float]) -> Lifting:
    """Networks that say the same of the spine and of both hips, whatever they are told, and nothing of other limbs."""
    features = Bodies.of([reading(skeleton())], np.zeros(1)).describe(CAMERA).shape[-1]
    said_m = np.zeros((len(LIMBS), 3))
    said_m[[LIMBS.index(limb) for limb in (("PELVIS", "NECK"), ("PELVIS", "HIP"))]] = correction_m
    return Lifting((np.zeros((len(LIMBS), features, 3)),), (said_m,), "test")


def test_pixels_are_brought_to_the_skeletons_metres() -> None:
    bodies = Bodies.of([reading(skeleton())], np.zeros(1))
    metres_per_px, origin_px = bodies.metres
    assert metres_per_px[0] == pytest.approx(ROOT_M[2] / CAMERA.focal_px, rel=0.05)
    np.testing.assert_allclose(origin_px[0], CAMERA.project(ROOT_M), atol=4)


def test_a_larger_picture_of_the_same_body_tells_the_same() -> None:
    body = reading(skeleton())
    larger = replace(body, points_px=2 * body.points_px, depth_px=2 * body.depth_px)
    double = Camera(2 * CAMERA.focal_px, (2 * CAMERA.principal_px[0], 2 * CAMERA.principal_px[1]))
    told = Bodies.of([body], np.zeros(1)).describe(CAMERA)
    np.testing.assert_allclose(Bodies.of([larger], np.zeros(1)).describe(double), told, atol=1e-9)


@pytest.mark.parametrize(("fps", "step"), [(25.0, 3), (50.0, 6), (30.0, 4)])
def test_moments_are_as_far_apart_at_any_frame_rate(fps: float, step: int) -> None:
    bodies = Bodies.of([reading(skeleton())] * 41, np.arange(41) / fps)
    assert np.abs(bodies.moments()[20] - (20 + step * np.arange(-2, 3))).max() <= 1
    # Before the first frame there is nothing: the frame stands for itself.
    assert bodies.moments()[0, :3].tolist() == [0, 0, 0]


def test_a_moment_in_a_gap_is_the_frames_own() -> None:
    times_s = np.array([0, 1, 2, 3, 30]) / FPS
    bodies = Bodies.of([reading(skeleton())] * 5, times_s)
    assert bodies.moments()[4].tolist() == [4, 4, 4, 4, 4]


def test_joints_alone_are_moved_and_frames_without_a_body_stay() -> None:
    frame = FrameReading(body=reading(skeleton()))
    empty = FrameReading()
    lifted = adding((0.0, 0.02, -0.2)).lift([frame, empty, frame], CAMERA, FPS)
    assert lifted[1] is empty
    body, before = lifted[2].body, frame.body
    assert body is not None
    assert before is not None
    moved = np.zeros((POINTS, 3))
    moved[list(LIFTED)] = (0.0, 0.02, -0.2)
    np.testing.assert_allclose(body.points_body_m - before.points_body_m, moved, atol=1e-9)
    moved_px = (body.points_px - before.points_px)[Point.LEFT_KNEE]
    np.testing.assert_allclose(moved_px, [0, 0.02 * CAMERA.focal_px / ROOT_M[2]], rtol=0.05)
    np.testing.assert_array_equal(body.visibility, before.visibility)
    wider = adding((0.05, 0.0, 0.0)).lift([frame], CAMERA, FPS)[0].body
    assert wider is not None
    apart = [body.points_body_m[Point.LEFT_HIP, 0] - body.points_body_m[Point.RIGHT_HIP, 0] for body in (wider, before)]
    assert apart[0] - apart[1] == pytest.approx(0.1)
    assert adding((0.0, 0.0, 1.0)).lift([empty], CAMERA, FPS) == [empty]


def test_the_network_sees_left_and_right_alike() -> None:
    bodies = [reading(skeleton() * (1, 1, share)) for share in np.linspace(0.8, 1.0, 7)]
    there = lifting().lift([FrameReading(body=body) for body in bodies], CAMERA, FPS)[3].body
    back = lifting().lift([FrameReading(body=mirrored(body)) for body in bodies], CAMERA, FPS)[3].body
    assert there is not None
    assert back is not None
    np.testing.assert_allclose(mirrored(back).points_body_m, there.points_body_m, atol=1e-4)


def test_what_benchmarks_show_was_not_learnt_from() -> None:
    _, header = load_tensors(LIFTING_FILE)
    learnt = {name for key in ("motions", "validation") for name in header[key].split(", ")}
    assert {"dance_b", "walk", "punch"}.isdisjoint(learnt)
    assert set(header["held_out"].split(", ")) == {"dance_b", "walk", "punch"}
    assert LIFTING_FILE.stat().st_size < 2_000_000


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "lifting.safetensors"
    damaged.write_bytes(LIFTING_FILE.read_bytes()[:1000])
    monkeypatch.setattr(module, "LIFTING_FILE", damaged)
    with pytest.raises(WeightsError) as refused:
        lifting.__wrapped__()
    assert str(damaged) in refused.value.line()


def test_shoulders_stay_where_they_are_seen_when_the_hips_are_beyond_the_picture() -> None:
    body = reading(skeleton())
    hips = [Point.LEFT_HIP, Point.RIGHT_HIP]
    shoulders = [Point.LEFT_SHOULDER, Point.RIGHT_SHOULDER]
    unseen = body.visibility.copy()
    unseen[hips] = 0.0
    shifts_px = []
    for visibility in (body.visibility, unseen):
        before = replace(body, visibility=visibility)
        after = adding((0.0, -0.04, 0.01)).lift([FrameReading(body=before)], CAMERA, FPS)[0].body
        assert after is not None
        shifts_px.append(after.points_px - before.points_px)
        # The limbs are put right against one another all the same, in depth too.
        spine_m = (after.points_body_m - before.points_body_m)[shoulders].mean(axis=0)
        assert spine_m[2] == pytest.approx(0.01)
    seen_px, beyond_px = shifts_px
    assert seen_px[shoulders, 1].mean() < -4
    np.testing.assert_allclose(beyond_px[shoulders].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(
        beyond_px[hips].mean(axis=0) - beyond_px[shoulders].mean(axis=0),
        seen_px[hips].mean(axis=0) - seen_px[shoulders].mean(axis=0),
        atol=0.2,
    )
