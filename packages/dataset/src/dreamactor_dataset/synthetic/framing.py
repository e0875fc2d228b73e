"""Where a camera stands so that it holds all of the motion that its framing promises, and how it moves from there.

Legend: T frames, J joints.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from dreamactor_core.skeleton import joint_index

from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.posing import BonePose, posed_joints_m, posed_skull
from dreamactor_dataset.synthetic.plan import ClipPlan, Framing
from dreamactor_dataset.synthetic.render.background import make_background
from dreamactor_dataset.synthetic.render.camera import Camera, look_at
from dreamactor_dataset.synthetic.render.lights import Lights, make_lights
from dreamactor_dataset.synthetic.render.moves import (
    CameraMove,
    draw_move,
    moved_background,
    moved_camera,
    moved_lights,
    scenery_motion,
)
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene

# How much of the greatest camera moves a framing bears; whole bodies must stay in the frame.
_ROOM: dict[Framing, float] = {"portrait": 1.0, "half": 1.0, "full": 0.4}
# Sides of the background by those of the frame.
_PLATE = 1.3
_WALL_M = (1.5, 4.0)


@dataclass(frozen=True)
class SetUp:
    """A figure on its stage.

    Attributes:
        camera: in the middle of the clip.
        lights: in that camera's axes.
        plate: (H', W', 3) float32 background, linear light, larger than the frame.
        target_m: (3,) what the camera circles around, body axes.
        wall_m: how far behind the person the floor ends; None where no floor is seen.
    """

    figure: Figure
    camera: Camera
    lights: Lights
    plate: np.ndarray
    move: CameraMove
    target_m: np.ndarray
    wall_m: float | None

    def scene(self, frame: int) -> Scene:
        """The stage as it is seen in a frame."""
        camera = moved_camera(self.camera, self.target_m, self.move, frame)
        width, height = (side * SUPERSAMPLING for side in camera.size)
        background = moved_background(self.plate, self.camera, self.move, frame, (width, height))
        lights = moved_lights(self.lights, self.camera, camera)
        return Scene(self.figure, camera, lights, background, self.wall_m, scenery_motion(self.move, frame))


def make_set_up(
    plan: ClipPlan, random: np.random.Generator, figure: Figure, pose: BonePose, size: tuple[int, int]
) -> SetUp:
    """Camera and its moves, lights and background of a planned clip."""
    camera = make_camera(plan, random, figure, pose, size)
    target_m = posed_joints_m(figure, pose)[:, joint_index("neck")].mean(axis=0)
    field_rad = 2 * float(np.arctan(min(size) / 2 / camera.focal_px))
    move = draw_move(random, len(pose.heads_m), field_rad, _ROOM[plan.framing])
    wall_m = float(random.uniform(*_WALL_M)) if plan.framing == "full" else None
    lights = make_lights(random)
    floor = None if wall_m is None else _floor(camera, target_m, wall_m)
    width, height = (round(side * SUPERSAMPLING * _PLATE) for side in size)
    plate = make_background(random, height, width, floor)
    return SetUp(figure, camera, lights, plate, move, target_m, wall_m)


def _floor(camera: Camera, target_m: np.ndarray, wall_m: float) -> float:
    """Where on a plate the floor ends, in its heights from above."""
    person_m, camera_m = target_m * (1, 0, 1), camera.center_m * (1, 0, 1)
    away = (person_m - camera_m) / np.linalg.norm(person_m - camera_m)
    row = camera.to_pixels(camera.to_camera(person_m + wall_m * away))[1] / camera.size[1]
    return float(0.5 + (row - 0.5) / _PLATE)


def make_camera(
    plan: ClipPlan, random: np.random.Generator, figure: Figure, pose: BonePose, size: tuple[int, int]
) -> Camera:
    """A camera that holds all of the motion that its framing promises."""
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
