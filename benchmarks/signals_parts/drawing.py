"""How fast control maps are drawn, against two drawers that others use, and how exactly, against a slow rasteriser.

The load is the paper's longest clip: 121 frames of 960x640, one person, body + hands + head sphere, one thread. Every
drawer gets the same 3-D joints already projected or projects them itself, allocates its maps and keeps all of them.

Legend: T video frames, J joints, B bones, H W pixels.
"""

import json
import math
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BODY_JOINTS, BONE_COLOURS, BONES
from dreamactor_dataset.synthetic.clip import FPS
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.framing import make_camera
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.plan import ClipPlan
from dreamactor_dataset.synthetic.staging import make_performance
from dreamactor_dataset.synthetic.truth import true_track
from dreamactor_signals.draw.canvas import Canvas
from dreamactor_signals.draw.control_maps import control_maps
from dreamactor_signals.draw.skeleton import draw_skeletons
from dreamactor_signals.draw.sphere import draw_spheres
from dreamactor_signals.visibility import SEEN

from benchmarks.signals_parts.slow_rasteriser import slow_skeleton, slow_sphere

_FRAMES, _SIZE = 121, (640, 960)
_ROUNDS = 7
_COMPARED_FRAMES = 6
_HAND_BONES = BONES[:, 1] >= BODY_JOINTS.stop

Drawer = Callable[[], object]


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Speed ratios and the greatest difference to the slow rasteriser; `scale` shortens the clip."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        track = gesturing_person(max(round(_FRAMES * scale), 8))
        seconds = _fastest(
            {
                "skeleton": lambda: _ours(track, draw_skeletons),
                "ellipses": lambda: draw_ellipses(track, _SIZE),
                "lines": lambda: draw_lines(track, _SIZE),
                "sphere": lambda: _ours(track, draw_spheres),
                "numpy_sphere": lambda: draw_numpy_spheres(track, _SIZE),
                "maps": lambda: control_maps(track, _SIZE),
            }
        )
    finally:
        cv2.setNumThreads(threads)
    return {
        "draw_skeleton_ratio": seconds["ellipses"] / seconds["skeleton"],
        "draw_skeleton_vs_lines_ratio": seconds["lines"] / seconds["skeleton"],
        "draw_sphere_ratio": seconds["numpy_sphere"] / seconds["sphere"],
        "draw_grey_level_error": grey_level_error(track),
        "draw_maps_fps": len(track) / seconds["maps"],
    }


def gesturing_person(frame_count: int) -> MotionTrack:
    """The true track of a synthetic person who talks with both hands, framed from the hips up."""
    plan = ClipPlan("drawing", 0, 7003, 0, "gesture", "half", "test", None)
    figure = build_figure(make_identity(plan.seed, plan.person))
    random = np.random.default_rng(plan.seed)
    performance = make_performance(plan, random, frame_count, float(FPS))
    pose = rig_performance(figure, performance)
    camera = make_camera(plan, random, figure, pose, _SIZE)
    no_face_px = np.zeros((frame_count, 1, 2))
    return true_track(figure, pose, [camera] * frame_count, performance.units, no_face_px, Fraction(FPS), "drawing", "")


def grey_level_error(track: MotionTrack) -> float:
    """Greatest difference of a control map to the slow rasteriser, over a few frames."""
    canvas, worst = Canvas.of(track, _SIZE), 0
    for frame in np.linspace(0, len(track) - 1, _COMPARED_FRAMES).round().astype(int):
        shown = track[[frame]]
        fast_6HW = control_maps(shown, _SIZE)[0].astype(int)
        slow_6HW = np.concatenate([slow_skeleton(shown, canvas), slow_sphere(shown, canvas)])
        worst = max(worst, int(np.abs(fast_6HW - slow_6HW).max()))
    return float(worst)


def draw_ellipses(track: MotionTrack, size: tuple[int, int]) -> list[np.ndarray]:
    """The MusePose kind: a filled ellipse polygon for each limb, all dimmed, then a dot on each joint."""
    import cv2

    width, height = size
    joints_TJ2 = track.project(track.joints_cam_m) / track.frame_size
    pictures = []
    for joints_J2, confidence_J in zip(joints_TJ2, track.joint_confidence, strict=True):
        canvas = np.zeros((height, width, 3), np.uint8)
        for bone, ends in enumerate(BONES):
            if confidence_J[ends].min() < SEEN:
                continue
            x, y = joints_J2[ends, 0] * float(width), joints_J2[ends, 1] * float(height)
            length = ((x[0] - x[1]) ** 2 + (y[0] - y[1]) ** 2) ** 0.5
            angle_deg = math.degrees(math.atan2(y[0] - y[1], x[0] - x[1]))
            axes = int(length / 2), 2 if _HAND_BONES[bone] else 4
            polygon = cv2.ellipse2Poly((int(np.mean(x)), int(np.mean(y))), axes, int(angle_deg), 0, 360, 1)
            cv2.fillConvexPoly(canvas, polygon, BONE_COLOURS[bone].tolist())
        canvas = (canvas * 0.6).astype(np.uint8)
        for joint, (x, y) in enumerate(joints_J2):
            radius_px = 4 if joint < BODY_JOINTS.stop else 3
            cv2.circle(canvas, (int(x * width), int(y * height)), radius_px, (0, 0, 255), thickness=-1)
        pictures.append(canvas)
    return pictures


def draw_lines(track: MotionTrack, size: tuple[int, int]) -> list[np.ndarray]:
    """The rtmlib kind: a dot of radius 2 for each joint, then a line of width 2 for each bone."""
    import cv2

    joints_px_TJ2 = track.project(track.joints_cam_m) * (np.array(size) / track.frame_size)
    colours = [tuple(int(value) for value in colour) for colour in BONE_COLOURS]
    pictures = []
    for joints_px_J2, confidence_J in zip(joints_px_TJ2, track.joint_confidence, strict=True):
        canvas = np.zeros((size[1], size[0], 3), np.uint8)
        seen = [score >= SEEN for score in confidence_J]
        for joint, point in enumerate(joints_px_J2):
            if seen[joint]:
                canvas = cv2.circle(canvas, (int(point[0]), int(point[1])), 2, (255, 255, 255), -1)
        for bone, (parent, child) in enumerate(BONES):
            if seen[parent] and seen[child]:
                a, b = joints_px_J2[parent], joints_px_J2[child]
                canvas = cv2.line(canvas, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), colours[bone], thickness=2)
        pictures.append(canvas)
    return pictures


def draw_numpy_spheres(track: MotionTrack, size: tuple[int, int]) -> list[np.ndarray]:
    """The sphere in numpy, computed in its own box only."""
    canvas = Canvas.of(track, size)
    centers_px = canvas.project(track, track.head_center_cam_m)
    radii_px = track.focal_px * float(canvas.scale[0]) * track.head_radius_m / track.head_center_cam_m[:, 2]
    pictures = []
    for center_px, radius_px, turn in zip(centers_px, radii_px, track.head_rotation, strict=True):
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        pictures.append(picture)
        left, top = np.maximum(np.floor(center_px - radius_px - 1), 0).astype(int)
        right, bottom = np.minimum(np.ceil(center_px + radius_px + 1), size).astype(int)
        y, x = np.mgrid[top:bottom, left:right] + 0.5
        offset = np.stack([x, y], axis=-1) - center_px
        distance = np.sqrt((offset**2).sum(axis=-1))
        flat = offset / np.maximum(distance, radius_px)[..., None]
        toward = -np.sqrt(np.maximum(1 - (flat**2).sum(axis=-1), 0))
        colour = (np.concatenate([flat, toward[..., None]], axis=-1) @ turn + 1) * 127.5
        coverage = np.clip(radius_px + 0.5 - distance, 0, 1)
        picture[top:bottom, left:right] = colour * coverage[..., None] + 0.5
    return pictures


def _ours(track: MotionTrack, draw: Callable[..., None]) -> np.ndarray:
    planes_T3HW = np.zeros((len(track), 3, _SIZE[1], _SIZE[0]), np.uint8)
    draw(planes_T3HW, track, Canvas.of(track, _SIZE))
    return planes_T3HW


def _fastest(drawers: dict[str, Drawer]) -> dict[str, float]:
    """Seconds of each drawer's best round; they take turns, so that all meet the same machine."""
    for drawer in drawers.values():
        drawer()
    seconds = dict.fromkeys(drawers, math.inf)
    for _ in range(_ROUNDS):
        for name, drawer in drawers.items():
            start = time.perf_counter()
            drawer()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
