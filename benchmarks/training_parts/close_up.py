"""A synthetic person for the overfit check: sways, turns the head, moves the mouth; another person does the same.

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
from dreamactor_dataset.synthetic.motion.gestures import head_rotation
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.render.camera import Camera, look_at
from dreamactor_dataset.synthetic.render.lights import make_lights
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene

_SEED = 5
# To one side, to the other and back.
_SWAY_LEGS, _TURN_RAD, _NOD_RAD = 0.045, 0.4, 0.12
_THERE_AND_BACK = 16
# Half of what the camera sees, in radii of the head sphere; the field of view; how far below the skull it looks.
_HALF_SPAN, _FIELD_RAD, _BELOW = 2.0, 0.5, 0.6
_BACKGROUND, _BLUR_PX = 0.3, 0.7
# How far the mouth opens and rounds, and how many frames that takes: out of step with the head and with each other.
_MOUTH = {
    "jawOpen": (0.8, 11.0),
    "mouthFunnel": (0.5, 9.0),
    "mouthSmileLeft": (0.6, 17.0),
    "mouthSmileRight": (0.6, 17.0),
}


def make_close_up(person: int, mouth_seed: int, side: int, frame_count: int) -> Clip:
    """A clip of `side` x `side` pixels; all sway and turn alike, equal seeds move the mouth alike."""
    figure = build_figure(make_identity(_SEED, person))
    performance = _perform(mouth_seed, frame_count)
    random = np.random.default_rng(_SEED)
    background = np.full((side * SUPERSAMPLING, side * SUPERSAMPLING, 3), _BACKGROUND, np.float32)
    scene = Scene(figure, _camera(figure, performance, side), make_lights(random), background)
    clip = render_performance(scene, performance)
    return replace(clip, frames=np.stack([cv2.GaussianBlur(frame, (0, 0), _BLUR_PX) for frame in clip.frames]))


def _perform(mouth_seed: int, frame_count: int) -> Performance:
    body, mouth = np.random.default_rng(_SEED), np.random.default_rng([_SEED, mouth_seed])
    performance = Performance(frame_count)
    frames = np.arange(frame_count)

    def wave(period: float, random: np.random.Generator) -> np.ndarray:
        return np.sin(2 * np.pi * (frames / period + random.random()))

    performance.root_legs[:, 0] = _SWAY_LEGS * wave(_THERE_AND_BACK, body)
    yaw, pitch = _TURN_RAD * wave(_THERE_AND_BACK, body), _NOD_RAD * wave(_THERE_AND_BACK, body)
    performance.turn("neck", head_rotation(yaw, pitch, np.zeros(frame_count)))
    for unit, (most, period) in _MOUTH.items():
        performance.units[:, ARKIT_UNITS.index(unit)] = most * (1 + wave(period, mouth)) / 2
    return performance


def _camera(figure: Figure, performance: Performance, side: int) -> Camera:
    _, skull_m = posed_skull(figure, rig_performance(figure, performance))
    radius_m = figure.skull_radius_m
    center_m = skull_m.mean(axis=0) - np.array((0.0, _BELOW * radius_m, 0.0))
    tangent = np.tan(_FIELD_RAD / 2)
    return look_at(center_m, _HALF_SPAN * radius_m / tangent, 0.0, 0.0, side / 2 / tangent, (side, side))
