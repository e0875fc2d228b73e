"""A planned clip on its stage: the motion, the camera that frames it, lights and background.

Legend: T frames, J joints.
"""

from collections.abc import Callable

import numpy as np
from dreamactor_core.skeleton import joint_index

from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.posing import BonePose, posed_joints_m, posed_skull
from dreamactor_dataset.synthetic.motion import face, gestures, mocap
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rotations import about
from dreamactor_dataset.synthetic.plan import ClipPlan, Framing
from dreamactor_dataset.synthetic.render.camera import Camera, look_at

# Widest turns of the head (yaw, pitch, roll).
_CALM_TURN_RAD = (0.35, 0.16, 0.10)
_WIDE_TURN_RAD = (0.95, 0.35, 0.22)


def make_performance(plan: ClipPlan, random: np.random.Generator, frame_count: int, fps: float) -> Performance:
    """The motion of a planned clip."""
    if plan.captured is not None:
        performance = mocap.perform(plan.captured, frame_count, fps, start_s=float(random.uniform(0, 4)))
        performance.turn("root", about(1, random.uniform(-0.9, 0.9)))
        _turn_path(performance, float(random.uniform(-0.9, 0.9)))
    else:
        performance = Performance(frame_count)
        gestures.sway(performance, random, 1.0)
        liveliness = {"gesture": 0.9, "speech": 0.35, "expression": 0.1}[plan.category]
        gestures.gesticulate(performance, random, liveliness)
        wide = plan.category == "expression" or random.random() < 0.3
        gestures.turn_head(performance, random, *(_WIDE_TURN_RAD if wide else _CALM_TURN_RAD))
        performance.turn("root", about(1, random.normal(0, 0.18)))
    _animate_face(plan, performance, random)
    return performance


def _turn_path(performance: Performance, yaw_rad: float) -> None:
    """Turn the whole motion, its path too, about the upright axis."""
    turn = about(1, yaw_rad)
    performance.root_legs = performance.root_legs @ turn.T
    performance.turn("root", turn)


def _animate_face(plan: ClipPlan, performance: Performance, random: np.random.Generator) -> None:
    if plan.category in ("speech", "gesture"):
        face.talk(performance, random, float(random.uniform(0.7, 1.0)))
        face.express(performance, random, 0.35)
    elif plan.category == "expression":
        face.express(performance, random, 1.0)
    else:
        face.express(performance, random, 0.5)
    face.blink(performance, random)
    face.glance(performance, random)


def make_camera(
    plan: ClipPlan, random: np.random.Generator, figure: Figure, pose: BonePose, size: tuple[int, int]
) -> Camera:
    """A camera that stands still and holds all of the motion that its framing promises."""
    joints_m = posed_joints_m(figure, pose)
    _, skull_m = posed_skull(figure, pose)
    field_rad = random.uniform(0.38, 0.75)
    azimuth_rad, elevation_rad = random.normal(0, 0.22), random.uniform(-0.10, 0.16)

    def camera(center_m: np.ndarray, half_span_m: float) -> Camera:
        distance_m, focal_px = half_span_m / np.tan(field_rad / 2), min(size) / 2 / np.tan(field_rad / 2)
        return look_at(center_m, distance_m, azimuth_rad, elevation_rad, focal_px, size)

    if plan.framing == "full":
        crown_m = skull_m + np.array((0, 1.4 * figure.skull_radius_m, 0))
        points_m = np.concatenate([joints_m.reshape(-1, 3), crown_m])
        return fitted(camera, points_m, fill=random.uniform(0.84, 0.95))
    return camera(*_frame(plan.framing, random, figure.skull_radius_m, skull_m, joints_m))


def fitted(camera: Callable[[np.ndarray, float], Camera], points_m: np.ndarray, fill: float) -> Camera:
    """The camera from which points (N, 3) fill a share of the frame; what comes nearer grows, hence the steps."""
    center_m = (points_m.min(axis=0) + points_m.max(axis=0)) / 2
    half_span_m = float(np.ptp(points_m, axis=0).max())
    for _ in range(6):
        candidate = camera(center_m, half_span_m)
        pixels = candidate.to_pixels(candidate.to_camera(points_m))
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        offset_px = (low + high) / 2 - candidate.principal_px
        metres_per_px = 2 * half_span_m / min(candidate.size)
        center_m = center_m + metres_per_px * (offset_px @ candidate.rotation[:2])
        half_span_m *= float((high - low).max()) / (fill * min(candidate.size))
    return camera(center_m, half_span_m)


def _frame(
    framing: Framing, random: np.random.Generator, radius_m: float, skull_m: np.ndarray, joints_m: np.ndarray
) -> tuple[np.ndarray, float]:
    """What a portrait or half-body camera looks at (3,) and half of what it sees there, metres.

    Args:
        radius_m: of the head sphere; skull_m: (T, 3) its centre.
        joints_m: (T, J, 3).
    """
    head_m = skull_m.mean(axis=0)
    wander_m = float(np.abs(skull_m - head_m)[:, :2].max())
    if framing == "portrait":
        half_span_m = radius_m * random.uniform(2.3, 3.5) + wander_m
        headroom_m = 1.7 * radius_m
    else:
        hips_m = joints_m[:, joint_index("pelvis")].mean(axis=0)
        top_m = skull_m[:, 1].max() + 1.35 * radius_m
        half_span_m = 0.5 * (top_m - hips_m[1]) * random.uniform(1.08, 1.25)
        headroom_m = 1.55 * radius_m
    below_m = max(half_span_m - headroom_m - wander_m, 0.0)
    side_m = random.normal(0, 0.12) * radius_m
    return head_m + np.array((side_m, -below_m, 0.0)), float(half_span_m)
