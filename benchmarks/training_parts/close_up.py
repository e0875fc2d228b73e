"""A synthetic person for the overfit check: the head turns, the mouth moves; another person does the same.

Before a plain wall and a little out of focus: a VAE that has learnt for minutes holds no hair.

Legend: T frames, H W pixels.
"""

from dataclasses import replace

import cv2
import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_dataset.synthetic.clip import Clip, render_performance
from dreamactor_dataset.synthetic.figure.figure import Figure, build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.figure.posing import posed_skull
from dreamactor_dataset.synthetic.motion import face, gestures
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.render.camera import Camera, look_at
from dreamactor_dataset.synthetic.render.lights import make_lights
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene

_SEED = 5
_TURN_RAD = (0.8, 0.3, 0.2)
# Half of what the camera sees, in radii of the head sphere; the field of view; how far below the skull it looks.
_HALF_SPAN, _FIELD_RAD, _BELOW = 2.8, 0.5, 0.9
_BACKGROUND, _BLUR_PX = 0.3, 1.0
# The mouth opens and rounds some six times a second at most, out of step with the turning head.
_MOUTH = {
    "jawOpen": (0.8, 11.0),
    "mouthFunnel": (0.5, 7.0),
    "mouthSmileLeft": (0.6, 17.0),
    "mouthSmileRight": (0.6, 17.0),
}


def make_close_up(person: int, performance_seed: int, side: int, frame_count: int) -> Clip:
    """A clip of `side` x `side` pixels; equal performance seeds move alike, whoever performs."""
    figure = build_figure(make_identity(_SEED, person))
    performance = _perform(performance_seed, frame_count)
    random = np.random.default_rng(_SEED)
    background = np.full((side * SUPERSAMPLING, side * SUPERSAMPLING, 3), _BACKGROUND, np.float32)
    scene = Scene(figure, _camera(figure, performance, side), make_lights(random), background)
    clip = render_performance(scene, performance)
    return replace(clip, frames=np.stack([cv2.GaussianBlur(frame, (0, 0), _BLUR_PX) for frame in clip.frames]))


def _perform(seed: int, frame_count: int) -> Performance:
    random = np.random.default_rng([_SEED, seed])
    performance = Performance(frame_count)
    gestures.turn_head(performance, random, *_TURN_RAD)
    for unit, (most, period) in _MOUTH.items():
        phase = np.arange(frame_count) / period + random.random()
        performance.units[:, ARKIT_UNITS.index(unit)] = most * (1 + np.sin(2 * np.pi * phase)) / 2
    face.blink(performance, random)
    return performance


def _camera(figure: Figure, performance: Performance, side: int) -> Camera:
    _, skull_m = posed_skull(figure, rig_performance(figure, performance))
    radius_m = figure.skull_radius_m
    center_m = skull_m.mean(axis=0) - np.array((0.0, _BELOW * radius_m, 0.0))
    tangent = np.tan(_FIELD_RAD / 2)
    return look_at(center_m, _HALF_SPAN * radius_m / tangent, 0.0, 0.0, side / 2 / tangent, (side, side))
