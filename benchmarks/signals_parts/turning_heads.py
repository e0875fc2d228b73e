"""Synthetic people who turn their heads, or themselves, over the whole range: truth for the head's figures.

Two casts that share no person: the constants of the embedded tracker's head were fitted to `CALIBRATION_CAST`
(`python -m benchmarks.signals_parts.calibrate_head`), every figure is measured on `HELD_OUT_CAST`.
"""

from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_dataset.synthetic.clip import FPS, Clip, render_performance
from dreamactor_dataset.synthetic.figure.figure import Figure, build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.figure.posing import posed_skull
from dreamactor_dataset.synthetic.motion import face
from dreamactor_dataset.synthetic.motion.gestures import head_rotation
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.motion.rotations import about
from dreamactor_dataset.synthetic.render.background import make_background
from dreamactor_dataset.synthetic.render.camera import look_at
from dreamactor_dataset.synthetic.render.lights import make_lights
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene

Person = tuple[int, int]
"""Seed and number of an identity."""

CALIBRATION_CAST: tuple[Person, ...] = tuple((7001, number) for number in range(96))
HELD_OUT_CAST: tuple[Person, ...] = tuple((7002, number) for number in range(8))

_YAW_DEG, _PITCH_DEG, _ROLL_DEG = 62.0, 24.0, 10.0
_SIZE = (320, 320)


def looking_around(person: Person, frame_count: int) -> Clip:
    """A portrait of someone who looks from one side to the other, up and down, talking and blinking."""
    random = np.random.default_rng([*person, 11])
    phase = np.linspace(0, 2 * np.pi, frame_count, endpoint=False) + random.uniform(0, 2 * np.pi)
    performance = Performance(frame_count)
    # 2 : 3 : 1 crosses all combinations of yaw and pitch once.
    yaw, pitch = np.radians(_YAW_DEG) * np.sin(2 * phase), np.radians(_PITCH_DEG) * np.sin(3 * phase + 0.7)
    performance.turn("neck", head_rotation(yaw, pitch, np.radians(_ROLL_DEG) * np.sin(phase + 1.1)))
    _live(performance, random)
    return _film(_figure(person), performance, random, radii=random.uniform(2.6, 3.4), below=0.5)


def turning_round(person: Person, frame_count: int, *, turns: float = 1.0) -> Clip:
    """Head and shoulders of someone who turns about themselves, once round by default."""
    random = np.random.default_rng([*person, 12])
    performance = Performance(frame_count)
    performance.turn("root", about(1, 2 * np.pi * turns * np.linspace(0, 1, frame_count)))
    _live(performance, random)
    return _film(_figure(person), performance, random, radii=8.0, below=4.5)


def track_clip(clip: Clip) -> MotionTrack:
    """The track that extraction makes of a clip with the settings as they ship: tracked, and looked at again."""
    from dreamactor_signals.flow import look_again
    from dreamactor_signals.trackers.embedded import EmbeddedTracker

    tracked = EmbeddedTracker(SignalsSettings()).track(clip.frames, Fraction(FPS), clip.track.frame_size, "")
    return look_again(tracked, clip.frames)


def _figure(person: Person) -> Figure:
    return build_figure(make_identity(*person))


def _live(performance: Performance, random: np.random.Generator) -> None:
    face.talk(performance, random, 0.6)
    face.express(performance, random, 0.5)
    face.blink(performance, random)


def _film(figure: Figure, performance: Performance, random: np.random.Generator, *, radii: float, below: float) -> Clip:
    """Render before a camera that sees this many head radii to each side of a point so many radii below the head."""
    pose = rig_performance(figure, performance)
    _, skull_m = posed_skull(figure, pose)
    middle_m = (skull_m.max(axis=0) + skull_m.min(axis=0)) / 2 - (0, below * figure.skull_radius_m, 0)
    half_span_m = radii * figure.skull_radius_m + float(np.ptp(skull_m, axis=0).max()) / 2
    field_rad = random.uniform(0.38, 0.75)
    camera = look_at(
        middle_m,
        half_span_m / np.tan(field_rad / 2),
        random.normal(0, 0.1),
        random.uniform(-0.08, 0.12),
        _SIZE[1] / 2 / np.tan(field_rad / 2),
        _SIZE,
    )
    height, width = _SIZE[1] * SUPERSAMPLING, _SIZE[0] * SUPERSAMPLING
    scene = Scene(figure, camera, make_lights(random), make_background(random, height, width))
    return render_performance(scene, performance)
