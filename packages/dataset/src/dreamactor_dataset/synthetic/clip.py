"""Make one clip: frames and their exact track.

Legend: T frames, H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.posing import posed_vertices_m
from dreamactor_dataset.synthetic.framing import make_set_up
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.plan import ClipPlan
from dreamactor_dataset.synthetic.render.camera import Camera
from dreamactor_dataset.synthetic.render.scene import Scene, draw
from dreamactor_dataset.synthetic.staging import make_performance
from dreamactor_dataset.synthetic.truth import true_track

FPS = Fraction(25)
# Changes whenever equal settings give other frames or another truth.
VERSION = "5"


@dataclass(frozen=True)
class Clip:
    """Frames and their truth.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        cover: (T, H, W) float32, the person's share of each pixel.
        track: the true track.
        voice: (S,) float32 samples at `signals.speech`'s rate, or None for a silent clip.
    """

    frames: np.ndarray
    cover: np.ndarray
    track: MotionTrack
    voice: np.ndarray | None


def make_clip(plan: ClipPlan, figure: Figure, size: tuple[int, int], frame_count: int) -> Clip:
    """The clip of a plan; equal arguments give equal pixels.

    Args:
        figure: the person of the plan (`figure.build_figure`).
        size: width and height in pixels.
        frame_count: T.
    """
    random = np.random.default_rng([plan.seed, plan.number, 4])
    performance = make_performance(plan, random, frame_count, float(FPS))
    set_up = make_set_up(plan, random, figure, rig_performance(figure, performance), size)
    return render_scenes([set_up.scene(frame) for frame in range(frame_count)], performance)


def render_performance(scene: Scene, performance: Performance) -> Clip:
    """Draw a performance by a scene's figure from a camera that stands still, and write down its truth."""
    return render_scenes([scene] * performance.frame_count, performance)


def render_scenes(scenes: Sequence[Scene], performance: Performance) -> Clip:
    """Draw a performance, each frame in a scene of its own, and write down its truth."""
    figure, cameras = scenes[0].figure, [scene.camera for scene in scenes]
    pose = rig_performance(figure, performance)
    frames, covers, faces_px = [], [], []
    for frame, scene in enumerate(scenes):
        points_m = posed_vertices_m(figure, pose, frame, performance.units[frame])
        picture, cover = draw(scene, points_m)
        frames.append(picture)
        covers.append(cover)
        faces_px.append(_face_px(figure, scene.camera, points_m))
    track = true_track(figure, pose, cameras, performance.units, np.stack(faces_px), FPS, VERSION, source_sha256="")
    seen = replace(track, scenery_motion=np.stack([scene.scenery_motion for scene in scenes]))
    return Clip(np.stack(frames), np.stack(covers), seen, performance.voice)


def _face_px(figure: Figure, camera: Camera, points_m: np.ndarray) -> np.ndarray:
    return camera.to_pixels(camera.to_camera(points_m[figure.face]))
