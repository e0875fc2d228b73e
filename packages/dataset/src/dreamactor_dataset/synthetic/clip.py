"""Make one clip: frames and their exact track.

Legend: T frames, H W pixels.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.posing import posed_vertices_m
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.plan import ClipPlan
from dreamactor_dataset.synthetic.render.background import make_background
from dreamactor_dataset.synthetic.render.camera import Camera
from dreamactor_dataset.synthetic.render.lights import make_lights
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene, draw
from dreamactor_dataset.synthetic.staging import make_camera, make_performance
from dreamactor_dataset.synthetic.truth import true_track

FPS = Fraction(25)
# Changes whenever equal settings give other frames or another truth.
VERSION = "3"


@dataclass(frozen=True)
class Clip:
    """Frames and their truth.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        cover: (T, H, W) float32, the person's share of each pixel.
        track: the true track.
    """

    frames: np.ndarray
    cover: np.ndarray
    track: MotionTrack


def make_clip(plan: ClipPlan, figure: Figure, size: tuple[int, int], frame_count: int) -> Clip:
    """The clip of a plan; equal arguments give equal pixels.

    Args:
        figure: the person of the plan (`figure.build_figure`).
        size: width and height in pixels.
        frame_count: T.
    """
    random = np.random.default_rng([plan.seed, plan.number, 4])
    performance = make_performance(plan, random, frame_count, float(FPS))
    camera = make_camera(plan, random, figure, rig_performance(figure, performance), size)
    width, height = size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING
    scene = Scene(figure, camera, make_lights(random), make_background(random, height, width))
    return render_performance(scene, performance)


def render_performance(scene: Scene, performance: Performance) -> Clip:
    """Draw a performance by a scene's figure, and write down its truth."""
    figure, camera = scene.figure, scene.camera
    pose = rig_performance(figure, performance)
    frames, covers, faces_px = [], [], []
    for frame in range(performance.frame_count):
        points_m = posed_vertices_m(figure, pose, frame, performance.units[frame])
        picture, cover = draw(scene, points_m)
        frames.append(picture)
        covers.append(cover)
        faces_px.append(_face_px(figure, camera, points_m))
    track = true_track(figure, pose, camera, performance.units, np.stack(faces_px), FPS, VERSION, source_sha256="")
    return Clip(np.stack(frames), np.stack(covers), track)


def _face_px(figure: Figure, camera: Camera, points_m: np.ndarray) -> np.ndarray:
    return camera.to_pixels(camera.to_camera(points_m[figure.face]))
