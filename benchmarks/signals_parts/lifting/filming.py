"""Filmed people as the body's network reads them, beside where their joints truly are.

Every person's clips lie in one file, written once: a run that was interrupted goes on behind the last one. The larger
cast is filmed coarsely now and then, as small videos are: what the network misreads there is more, and other.

Legend: C clips, T frames, P = 33 body points, J joints.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
from dreamactor_core.console import progress
from dreamactor_core.files import load_tensors, save_tensors
from dreamactor_core.process_map import map_in_workers
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import joint_index
from dreamactor_dataset.synthetic.figure.figure import Figure, build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.figure.posing import BonePose, posed_joints_m, posed_skull, posed_vertices_m
from dreamactor_dataset.synthetic.framing import fitted
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.plan import Framing
from dreamactor_dataset.synthetic.render.background import make_background
from dreamactor_dataset.synthetic.render.camera import Camera, look_at
from dreamactor_dataset.synthetic.render.lights import make_lights
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene, draw
from dreamactor_signals.body_models.makehuman.rig import load_rig
from dreamactor_signals.trackers.embedded.body import POINTS, BodyNetworks, BodyReader
from dreamactor_signals.trackers.embedded.readings import BodyReading

from benchmarks.signals_parts.lifting.motions import ON_THE_FLOOR, UPRIGHT, VALIDATION, draw_motion

Person = tuple[int, int]
"""Seed and number of an identity."""

DEPTHS_CAST: tuple[Person, ...] = tuple((7101, number) for number in range(240))
PLACES_CAST = DEPTHS_CAST[:48]
VALIDATION_CAST: tuple[Person, ...] = tuple((7102, number) for number in range(6))

_CLIPS, _FRAMES = 8, 12
SIZE = (256, 256)
"""Of every film, width and height in pixels."""
_FRAMINGS: tuple[Framing, ...] = ("full", "half", "portrait")
_FRAMING_ODDS = (0.65, 0.22, 0.13)
# Most films see people from the front, some from anywhere.
_FRONT_SHARE, _FRONT_RAD = 0.6, 0.8
# This share of the larger cast's films shows no more pixels than these along a side.
_COARSE_SHARE, _COARSE_PX = 0.4, (90, 190)
# From the middle of the hips to that of the head, for those who bend down.
_LEAST_TORSO_M = 0.4


@dataclass(frozen=True)
class Filmed:
    """Clips.

    Attributes:
        points_px: (C, T, P, 2), depth_px: (C, T, P), points_body_m: (C, T, P, 3), visibility: (C, T, P), as read; zeros
            where nobody was found.
        joints_cam_m: (C, T, J, 3) the truth.
        focal_px: (C,) the truth, which the tracker does not know.
        framing: (C,) 0 full, 1 half, 2 portrait.
        person: (C,).
    """

    points_px: np.ndarray
    depth_px: np.ndarray
    points_body_m: np.ndarray
    visibility: np.ndarray
    joints_cam_m: np.ndarray
    focal_px: np.ndarray
    framing: np.ndarray
    person: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """(C, T) bool, where a body was read."""
        return np.asarray(self.visibility.any(axis=-1))

    @property
    def inside(self) -> np.ndarray:
        """(C, T, J) bool, which joints lie in the frame."""
        ends_px = self.joints_px
        return np.asarray(((ends_px >= 0) & (ends_px < SIZE)).all(axis=-1) & (self.joints_cam_m[..., 2] > 0))

    @property
    def joints_px(self) -> np.ndarray:
        """(C, T, J, 2) the truth in the picture."""
        depth_m = np.maximum(self.joints_cam_m[..., 2:], 0.05)
        return self.joints_cam_m[..., :2] / depth_m * self.focal_px[:, None, None, None] + np.array(SIZE) / 2


def places_clips(folder: Path) -> Filmed:
    """Of the smaller cast and the motions to learn from."""
    return _film_cast(PLACES_CAST, UPRIGHT + ON_THE_FLOOR, folder / "fine")


def depths_clips(folder: Path) -> Filmed:
    """Of the larger cast and the motions to learn from."""
    return _film_cast(DEPTHS_CAST, UPRIGHT + ON_THE_FLOOR, folder / "coarse", coarse_share=_COARSE_SHARE)


def validation_clips(folder: Path) -> Filmed:
    """Of other people and other motions."""
    return _film_cast(VALIDATION_CAST, VALIDATION, folder / "fine")


def _film_cast(cast: tuple[Person, ...], captures: tuple[str, ...], folder: Path, coarse_share: float = 0.0) -> Filmed:
    """All clips of a cast; those of people whose file is in the folder are read from it."""
    folder.mkdir(parents=True, exist_ok=True)
    new = [person for person in cast if not _path(folder, person).exists()]
    made = map_in_workers(partial(_film, folder, captures, coarse_share), new, os.cpu_count() or 1, folder)
    for _ in progress(made, "filming bodies", len(new)):
        pass
    people = [load_tensors(_path(folder, person))[0] for person in cast]
    return Filmed(**{name: np.concatenate([one[name] for one in people]) for name in people[0]})


def _path(folder: Path, person: Person) -> Path:
    return folder / f"bodies-{person[0]}-{person[1]:03d}.safetensors"


def _film(folder: Path, captures: tuple[str, ...], coarse_share: float, person: Person) -> None:
    save_tensors(_path(folder, person), _film_person(person, captures, coarse_share, _networks()), {})


@cache
def _networks() -> BodyNetworks:
    """Once a process."""
    return BodyNetworks(threads=1, min_score=SignalsSettings().min_score)


def _film_person(
    person: Person, captures: tuple[str, ...], coarse_share: float, networks: BodyNetworks
) -> dict[str, np.ndarray]:
    figure = build_figure(make_identity(*person))
    clips = []
    for number in range(_CLIPS):
        random = np.random.default_rng([*person, number, 31])
        framing = _FRAMINGS[random.choice(len(_FRAMINGS), p=_FRAMING_ODDS)]
        # Who rolls on the floor is filmed as a whole.
        known = captures if framing == "full" else tuple(name for name in captures if name not in ON_THE_FLOOR)
        performance = draw_motion(random, _FRAMES, known)
        pose = rig_performance(figure, performance)
        camera = _camera(framing, random, figure, pose)
        side_px = _drawn_side_px(random, coarse_share)
        readings = list(_read(figure, performance, pose, camera, random, networks, side_px))
        clips.append(
            {
                "points_px": _stack(readings, "points_px", (POINTS, 2)),
                "depth_px": _stack(readings, "depth_px", (POINTS,)),
                "points_body_m": _stack(readings, "points_body_m", (POINTS, 3)),
                "visibility": _stack(readings, "visibility", (POINTS,)),
                "joints_cam_m": camera.to_camera(posed_joints_m(figure, pose)).astype(np.float32),
                "focal_px": np.array(camera.focal_px, np.float32),
                "framing": np.array(_FRAMINGS.index(framing)),
                "person": np.array(person[1]),
            }
        )
    return {name: np.stack([clip[name] for clip in clips]) for name in clips[0]}


def _read(
    figure: Figure,
    performance: Performance,
    pose: BonePose,
    camera: Camera,
    random: np.random.Generator,
    networks: BodyNetworks,
    side_px: int | None,
) -> Iterator[BodyReading | None]:
    """What the network says of each frame, shown with no more detail than so many pixels have."""
    width, height = (side * SUPERSAMPLING for side in camera.size)
    scene = Scene(figure, camera, make_lights(random), make_background(random, height, width))
    reader = BodyReader(networks)
    for frame in range(performance.frame_count):
        picture, _ = draw(scene, posed_vertices_m(figure, pose, frame, performance.units[frame]))
        yield reader.read(picture if side_px is None else _seen_at(picture, side_px))


def _drawn_side_px(random: np.random.Generator, coarse_share: float) -> int | None:
    """Pixels along the side of a coarse film; None for others."""
    if not coarse_share:
        return None
    is_coarse, side_px = random.random() < coarse_share, int(random.integers(*_COARSE_PX))
    return side_px if is_coarse else None


def _seen_at(picture: np.ndarray, side_px: int) -> np.ndarray:
    """A picture of its own size, with the detail of a smaller one."""
    small = cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def _camera(framing: Framing, random: np.random.Generator, figure: Figure, pose: BonePose) -> Camera:
    """From all around and from a little below to well above, through any lens."""
    field_rad = random.uniform(0.35, 1.0)
    front = random.random() < _FRONT_SHARE
    faced_rad = _facing_rad(pose)
    azimuth_rad = faced_rad + random.normal(0, _FRONT_RAD) if front else random.uniform(-np.pi, np.pi)
    elevation_rad = random.uniform(-0.15, 0.35)
    focal_px = min(SIZE) / 2 / np.tan(field_rad / 2)

    def camera(center_m: np.ndarray, half_span_m: float) -> Camera:
        return look_at(center_m, half_span_m / np.tan(field_rad / 2), azimuth_rad, elevation_rad, focal_px, SIZE)

    joints_m, (_, skull_m) = posed_joints_m(figure, pose), posed_skull(figure, pose)
    if framing == "full":
        crown_m = skull_m + np.array((0, 1.4 * figure.skull_radius_m, 0))
        return fitted(camera, np.concatenate([joints_m.reshape(-1, 3), crown_m]), fill=random.uniform(0.6, 0.97))
    head_m, hips_m = skull_m.mean(axis=0), joints_m[:, joint_index("pelvis")].mean(axis=0)
    wander_m = float(np.abs(skull_m - head_m).max())
    if framing == "half":
        half_torso_m = max(head_m[1] - hips_m[1], _LEAST_TORSO_M) / 2
        return camera((head_m + hips_m) / 2, half_torso_m * random.uniform(1.2, 1.7) + wander_m)
    half_span_m = figure.skull_radius_m * random.uniform(2.3, 3.5) + wander_m
    return camera(head_m - (0, half_span_m - 1.7 * figure.skull_radius_m - wander_m, 0), half_span_m)


def _facing_rad(pose: BonePose) -> float:
    """Which way the root looks in the middle of the clip, as an azimuth."""
    forward = pose.rotations[len(pose.rotations) // 2, load_rig().index("root"), :, 2]
    return float(np.arctan2(forward[0], forward[2]))


def _stack(readings: list[BodyReading | None], name: str, shape: tuple[int, ...]) -> np.ndarray:
    nothing = np.zeros(shape)
    return np.array([nothing if one is None else getattr(one, name) for one in readings], np.float32)
